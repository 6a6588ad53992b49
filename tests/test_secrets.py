"""Secrets by reference: what resolves, and that nothing shows a value."""

import pickle
import sys

import pytest
from keyresults.collectors.secrets import CommandSecret, EnvironmentSecret, FileSecret, Secret, SecretError, SecretRef
from pydantic import BaseModel, ValidationError


class Holder(BaseModel):
    token: SecretRef


def test_an_environment_variable_is_read_when_resolved(monkeypatch, tmp_path):
    reference = Holder.model_validate({"token": {"env": "KR_TEST_TOKEN"}}).token
    monkeypatch.setenv("KR_TEST_TOKEN", "hunter2\n")
    assert reference.resolve(tmp_path).reveal() == "hunter2"


def test_an_unset_variable_is_named(monkeypatch, tmp_path):
    monkeypatch.delenv("KR_TEST_TOKEN", raising=False)
    with pytest.raises(SecretError, match="variable KR_TEST_TOKEN is not set"):
        EnvironmentSecret(env="KR_TEST_TOKEN").resolve(tmp_path)


def test_a_file_is_read_from_beside_the_config(tmp_path):
    (tmp_path / "token").write_text("hunter2\n")
    assert Holder.model_validate({"token": {"file": "token"}}).token.resolve(tmp_path).reveal() == "hunter2"


@pytest.mark.parametrize(
    ("content", "said"), [(None, "can't be read"), (b"", "is empty"), (b"\xff\xfe", "no UTF-8"), (b"a\nb", "one line")]
)
def test_a_file_without_a_secret_is_named_and_not_shown(tmp_path, content, said):
    if content is not None:
        (tmp_path / "token").write_bytes(content)
    with pytest.raises(SecretError, match=said) as raised:
        FileSecret(file="token").resolve(tmp_path)
    assert "token" in str(raised.value)


def test_a_private_key_may_have_several_lines(tmp_path):
    key = "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----"
    (tmp_path / "key.pem").write_text(key + "\n")
    assert FileSecret(file="key.pem").resolve(tmp_path).reveal() == key


def test_a_command_prints_the_secret(tmp_path):
    reference = CommandSecret(command=(sys.executable, "-c", "print('hunter2')"))
    assert reference.resolve(tmp_path).reveal() == "hunter2"


def test_a_failing_command_is_named_without_its_output_or_arguments(tmp_path):
    reference = CommandSecret(command=(sys.executable, "-c", "import sys; sys.exit('hunter2')"))
    with pytest.raises(SecretError, match="exit code 1") as raised:
        reference.resolve(tmp_path)
    assert "hunter2" not in str(raised.value)


def test_a_program_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SecretError, match="no-such-program"):
        CommandSecret(command=("no-such-program",)).resolve(tmp_path)


def test_no_repr_shows_a_secret():
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret!r} {secret} {[secret]}"
    with pytest.raises(TypeError):
        pickle.dumps(secret)


@pytest.mark.parametrize("literal", ["hunter2", 12345678, {"env": "ghp_hunter2"}, {"env": "hunter2 hunter3"}])
def test_a_literal_is_refused_without_being_shown(literal):
    with pytest.raises(ValidationError) as raised:
        Holder.model_validate({"token": literal})
    (error,) = raised.value.errors(include_input=False)
    assert error["type"] == "literal_secret"
    assert "hunter2" not in error["msg"]
    assert "12345678" not in error["msg"]
