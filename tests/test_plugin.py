"""The example plugin, built and installed as somebody else's package would be."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parent.parent / "examples" / "plugin"


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A copy of the example: building leaves its traces beside the sources."""
    return shutil.copytree(EXAMPLE, tmp_path_factory.mktemp("source") / "plugin")


@pytest.fixture(scope="module")
def environment(package, tmp_path_factory):
    """The environment of a Python that has the plugin installed."""
    target = tmp_path_factory.mktemp("site")
    install = ["install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "pip", *install, "--target", target, package], check=True)
    path = [str(target), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}


def run(environment, *arguments, cwd=None):
    return subprocess.run(
        [sys.executable, *arguments], env=environment, cwd=cwd, capture_output=True, text=True, timeout=120
    )


def test_it_is_found_by_its_type_word(environment):
    program = "from keyresults.collectors.registry import collector_type as t; print(t('uptime').__module__)"
    done = run(environment, "-c", program)
    assert done.stdout.strip() == "keyresults_uptime.collector", done.stderr


def test_its_own_tests_pass(environment, package):
    done = run(environment, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", package, "tests", cwd=package)
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout


@pytest.mark.soak
def test_its_facts_become_readings(environment, tmp_path):
    sample = run(
        environment, "-c", "from keyresults_uptime.collector import Uptime as u; print(u.sample_config)"
    ).stdout
    config = '[tracker]\ntimezone = "UTC"\n\n' + sample.replace('"28d"', '"7d"\nmin_samples = 1')
    (tmp_path / "keyresults.toml").write_text(config)
    today = datetime.now(UTC).date()
    days = {today - timedelta(days=ago): {"up": 86400 - 864 * (ago % 2), "of": 86400} for ago in range(1, 11)}
    told = {"components": {"api": {day.isoformat(): seconds for day, seconds in days.items()}}}
    (tmp_path / "uptime.json").write_text(json.dumps(told))
    main = "import sys; from keyresults.cli.main import main; sys.exit(main())"
    done = run(environment, "-c", main, "backfill", "--since", str(min(days)), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    yesterday = str(today - timedelta(days=1))
    done = run(environment, "-c", main, "metric", "api-uptime", "--as-of", yesterday, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    newest = json.loads(done.stdout)["readings"][-1]
    # 1 to 7 days ago: four odd ones at 99 %, three even ones at 100 %.
    assert newest["value"] == pytest.approx((4 * 0.99 + 3) / 7)
    assert newest["health"] == "ok"
