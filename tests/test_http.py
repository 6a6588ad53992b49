"""The one HTTP door, over real sockets."""

from __future__ import annotations

import gzip
import socket
import ssl
import subprocess
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
import requests
from keyresults.collectors.contract import RetryAt, SourceError, Unauthorized
from keyresults.collectors.http import Basic, Bearer, HttpDoor, refusal, retry_time
from keyresults.collectors.http_errors import explain, place
from keyresults.collectors.secrets import Secret
from pytest_httpserver import HTTPServer
from werkzeug import Response

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TOKEN = "door-token-91c2"


@pytest.fixture
def other_host(make_httpserver):
    """The same machine under another name: another host to every client."""
    with HTTPServer(host="localhost", port=0, threaded=True) as server:
        yield server


def seen(server):
    return [request for request, _ in server.log]


def test_it_says_who_asks(httpserver):
    httpserver.expect_request("/").respond_with_data("ok")
    with HttpDoor().session() as session:
        session.get(httpserver.url_for("/"))
    assert seen(httpserver)[0].headers["User-Agent"].startswith("keyresults/")


def test_no_request_waits_for_ever(httpserver):
    httpserver.expect_request("/").respond_with_handler(lambda request: time.sleep(2) or Response("late"))
    started = time.monotonic()
    with HttpDoor(timeout=0.3).session() as session, pytest.raises(requests.Timeout):
        session.get(httpserver.url_for("/"))
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("auth", [Bearer(Secret(TOKEN)), Basic("kr", Secret(TOKEN))])
def test_credentials_stay_with_their_host(httpserver, other_host, auth):
    elsewhere = other_host.url_for("/login")
    httpserver.expect_request("/").respond_with_response(Response("", 302, {"Location": elsewhere}))
    other_host.expect_request("/login").respond_with_data("ok")
    with HttpDoor().session(auth=auth, headers={"PRIVATE-TOKEN": TOKEN}) as session:
        assert session.get(httpserver.url_for("/")).text == "ok"
    assert "Authorization" in seen(httpserver)[0].headers
    assert seen(httpserver)[0].headers["PRIVATE-TOKEN"] == TOKEN
    assert TOKEN not in str(seen(other_host)[0].headers)
    assert "Authorization" not in seen(other_host)[0].headers


def test_a_netrc_nobody_named_is_not_read(httpserver, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text(f"machine {httpserver.host} login someone password {TOKEN}\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    httpserver.expect_request("/").respond_with_data("ok")
    with HttpDoor().session() as session:
        session.get(httpserver.url_for("/"))
    assert "Authorization" not in seen(httpserver)[0].headers


def test_a_gateways_error_is_tried_three_times_and_then_shown(httpserver):
    httpserver.expect_request("/").respond_with_data("bad gateway", status=502)
    with HttpDoor().session() as session:
        assert session.get(httpserver.url_for("/")).status_code == 502
    assert len(seen(httpserver)) == 3


@pytest.mark.parametrize("status", [429, 500, 400])
def test_other_errors_are_shown_at_once(httpserver, status):
    httpserver.expect_request("/").respond_with_data("no", status=status, headers={"Retry-After": "30"})
    started = time.monotonic()
    with HttpDoor().session() as session:
        assert session.get(httpserver.url_for("/")).status_code == status
    assert len(seen(httpserver)) == 1
    assert time.monotonic() - started < 1


def test_an_answer_has_a_largest_size(httpserver):
    httpserver.expect_request("/").respond_with_data("x" * 2000)
    with HttpDoor(max_bytes=1000).session() as session, pytest.raises(SourceError, match="more than 1,000 bytes"):
        session.get(httpserver.url_for("/"))


def test_the_size_counts_unpacked(httpserver):
    packed = gzip.compress(b"0" * 5_000_000)
    assert len(packed) < 10_000
    httpserver.expect_request("/").respond_with_data(packed, headers={"Content-Encoding": "gzip"})
    with HttpDoor(max_bytes=1_000_000).session() as session, pytest.raises(SourceError, match="more than"):
        session.get(httpserver.url_for("/"))


def test_a_body_within_bounds_is_whole(httpserver):
    httpserver.expect_request("/").respond_with_json({"a": "ü" * 100_000})
    with HttpDoor().session() as session:
        assert session.get(httpserver.url_for("/")).json() == {"a": "ü" * 100_000}


@pytest.fixture
def private_authority(tmp_path):
    """A self-signed certificate for localhost, by the openssl program: (certificate, key)."""
    certificate, key = tmp_path / "ca.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key


def test_a_private_authority_is_trusted_where_it_is_named(private_authority, monkeypatch, tmp_path):
    certificate, key = private_authority
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with HTTPServer(host="localhost", port=0, ssl_context=context, threaded=True) as server:
        server.expect_request("/").respond_with_data("ok")
        with HttpDoor(attempts=1).session() as session, pytest.raises(requests.exceptions.SSLError) as failed:
            session.get(server.url_for("/"))
        assert "`ca`" in explain(failed.value)
        # An environment's bundle must not win over what the config names.
        other = tmp_path / "bundle.pem"
        other.write_text("")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other))
        with HttpDoor().session(ca=certificate) as session:
            assert session.get(server.url_for("/")).text == "ok"


@pytest.mark.parametrize("scheme", ["http", "HTTP"])
def test_where_encryption_is_wanted_nothing_is_asked_without(httpserver, private_authority, scheme):
    certificate, key = private_authority
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    plain = httpserver.url_for("/x").replace("http", scheme, 1)
    with (
        HTTPServer(host="localhost", port=0, ssl_context=context, threaded=True) as server,
        HttpDoor().session(ca=certificate, encrypted=True) as session,
    ):
        server.expect_request("/there").respond_with_data("ok")
        server.expect_request("/ok").respond_with_response(Response("", 302, {"Location": "/there"}))
        server.expect_request("/plain").respond_with_response(Response("", 302, {"Location": plain}))
        assert session.get(server.url_for("/ok")).text == "ok"
        for address in (plain, server.url_for("/plain")):
            with pytest.raises(SourceError, match=r"^127.0.0.1:\d+ would be asked without encryption$"):
                session.get(address)
    assert not httpserver.log


def answer(status, **headers):
    response = requests.Response()
    response.status_code = status
    response.url = f"https://kr:{TOKEN}@prom.example:9090/api?token={TOKEN}"
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return response


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, Unauthorized), (403, Unauthorized), (429, RetryAt), (404, SourceError), (500, SourceError)],
)
def test_a_status_says_what_the_runner_does(status, kind):
    told = refusal(answer(status), NOW)
    assert type(told) is kind
    assert "prom.example:9090" in str(told)
    assert TOKEN not in str(told)


def test_no_error_below_400():
    assert refusal(answer(200), NOW) is None
    assert refusal(answer(304), NOW) is None


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("90", 90),
        ("0", 1),
        ("-5", 1),
        ("Fri, 20 Nov 2026 12:10:00 GMT", 600),
        ("Fri, 20 Nov 2026 11:00:00 GMT", 1),
        ("soon", 60),
        ("", 60),
        ("nan", 60),
        ("inf", 60),
        ("1e300", 86400),
    ],
)
def test_retry_after_is_read_within_reason(written, seconds):
    assert retry_time(answer(429, Retry_After=written), NOW) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (f"http://kr:{TOKEN}@no-such-host.invalid/x?token={TOKEN}", "host name of no-such-host.invalid is unknown"),
        (f"http://kr:{TOKEN}@127.0.0.1:9/", "127.0.0.1:9 refused the connection"),
        (f"prom/{TOKEN}", "not one of http:// or https://"),
    ],
)
def test_failures_are_told_in_words_without_the_url(url, words):
    with HttpDoor(attempts=1, timeout=5).session() as session, pytest.raises(requests.RequestException) as failed:
        session.get(url)
    assert words in explain(failed.value)
    assert TOKEN not in explain(failed.value)


@pytest.fixture
def broken_off():
    """A server that promises 5,000 bytes, sends four and hangs up; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer_once():
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nhalf")

        thread = threading.Thread(target=answer_once)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        thread.join()


def test_half_an_answer_is_none(broken_off):
    with HttpDoor(attempts=1).session() as session, pytest.raises(requests.RequestException) as failed:
        session.get(f"http://{broken_off}/")
    assert explain(failed.value) == f"the connection to {broken_off} broke"


def test_circles_are_told_in_words(httpserver):
    httpserver.expect_request("/").respond_with_response(Response("", 302, {"Location": "/"}))
    with HttpDoor().session() as session, pytest.raises(requests.TooManyRedirects) as failed:
        session.get(httpserver.url_for("/"))
    assert "circles" in explain(failed.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"https://kr:{TOKEN}@prom:9090/x", "prom:9090"),
        ("http://[::1]:80/", "[::1]:80"),
        ("http://prom:many/", "the server"),
        (None, "the server"),
        ("prom", "the server"),
    ],
)
def test_a_place_is_host_and_port(url, shown):
    assert place(url) == shown


def test_no_repr_shows_a_credential():
    session = HttpDoor().session(auth=Bearer(Secret(TOKEN)))
    assert TOKEN not in repr(session) + repr(vars(session)) + repr(vars(session.auth))
    session.close()
