"""What a change of the config can't change while the daemon runs is said."""

from __future__ import annotations

import pytest
from job_scenes import NOW, rows, write_scene
from keyresults.config.load import load
from keyresults.jobs.service import Service
from keyresults.jobs.workspace import Workspace
from simulated_time import Clock, simulated


@pytest.fixture
def config(tmp_path):
    path = write_scene(tmp_path, rows(5))
    path.write_text(path.read_text() + '\n[daemon]\nlisten = "127.0.0.1:0"\n')
    return path


def test_another_address_of_health_and_metrics_needs_a_restart(config, monkeypatch, caplog):
    clock = Clock(NOW)
    workspace = Workspace(load(config), writing=True, clock=clock, chance=lambda: 0.0)
    with workspace, Service(workspace) as service, simulated(service.daemon, clock, monkeypatch) as simulation:
        config.write_text(config.read_text().replace("127.0.0.1:0", "[::1]:0"))
        simulation.look()
        said = [record.message for record in caplog.records if record.levelname == "WARNING"]
        config.write_text(config.read_text().replace('title = "Releases', 'title = "The releases'))
        simulation.look()
    assert said == ["health and metrics stay where they are: restart to have them told at [daemon] listen"]
    assert sum("restart" in message for message in caplog.messages) == 1
