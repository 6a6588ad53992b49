"""When the daemon evaluates: behind each collection, by the newest config, and at nobody's cost."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from datetime import timedelta

import pytest
from job_scenes import NOW, rows, write_scene
from keyresults.collectors.file import FactFiles
from keyresults.config.load import load
from keyresults.jobs import routines
from keyresults.jobs.service import Service
from keyresults.jobs.workspace import Workspace
from keyresults.storage.errors import StoreError
from simulated_time import Clock, simulated

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def config(tmp_path):
    return write_scene(tmp_path, rows(20))


@contextmanager
def daemon(config, monkeypatch):
    clock = Clock(NOW)
    workspace = Workspace(load(config), writing=True, clock=clock, chance=lambda: 0.0)
    with workspace, Service(workspace) as service, simulated(service.daemon, clock, monkeypatch) as simulation:
        yield workspace.store, lambda span: simulation.pass_until(clock.now + span)


def ease(config):
    config.write_text(config.read_text().replace('below = "1%"', 'below = "2%"'))
    return load(config).digest


def said_by(store):
    return store.last_evaluation("2026-Q4").config_digest


def test_a_new_config_is_evaluated_by_without_waiting_for_a_collection(config, monkeypatch):
    with daemon(config, monkeypatch) as (store, go_on):
        go_on(MINUTE)
        assert said_by(store) == load(config).digest
        digest = ease(config)
        go_on(2 * MINUTE)
        assert said_by(store) == digest


def test_what_a_collection_of_the_config_before_brings_is_evaluated_by_the_new_one(config, monkeypatch):
    real, digests = FactFiles.collect, []

    def collect(self, stream, window, cursor):
        if len(digests) == 1:
            digests.append(ease(config))
            service.reread()
            service.daemon._beat()
        return real(self, stream, window, cursor)

    clock = Clock(NOW)
    workspace = Workspace(load(config), writing=True, clock=clock, chance=lambda: 0.0)
    with workspace, Service(workspace) as service, simulated(service.daemon, clock, monkeypatch) as simulation:
        simulation.pass_until(NOW + MINUTE)
        monkeypatch.setattr(FactFiles, "collect", collect)
        digests.append(said_by(workspace.store))
        simulation.pass_until(NOW + HOUR + MINUTE)
        assert said_by(workspace.store) == digests[1] != digests[0]


LAST_YEAR = """
[[objectives]]
id = "before"
title = "What was"
cycle = "2025-Q4"

  [[objectives.key_results]]
  id = "mood"
  title = "The team trusts its releases"
  metric = "mood"
  target = { from = "40%", to = "80%" }
"""


def test_a_cycle_that_cannot_be_evaluated_costs_the_others_nothing(config, monkeypatch):
    both = config.read_text().replace('id = "stable"', 'id = "stable"\ncycle = "2026-Q4"') + LAST_YEAR
    config.write_text(both)
    with daemon(config, monkeypatch) as (store, go_on):
        store.put_closing("2025-Q4", "closed", at=NOW - MINUTE, by="ana", content='{"of": "another release"}')
        go_on(2 * MINUTE)
        assert store.last_evaluation("2026-Q4") is not None
        assert "said/2026-Q4" in store.told()
        job = store.job("evaluate")
    assert job.outcome == "failed"
    assert job.error == "the grades of 2025-Q4 were kept by another release, and can't be read by this one"


def test_what_came_before_the_store_failed_is_evaluated(config, monkeypatch):
    def fail(workspace, sources):
        real(workspace, sources)
        raise StoreError("the disk is full")

    real = routines.fetch
    with daemon(config, monkeypatch) as (store, go_on):
        go_on(MINUTE)
        before = store.job("evaluate").started_at
        monkeypatch.setattr(routines, "fetch", fail)
        go_on(HOUR + MINUTE)
        assert store.job("collect/exports").error == "the disk is full"
        assert store.job("evaluate").started_at > before


def test_an_evaluation_that_fails_is_no_fault_of_the_sources(config, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(routines, "evaluate_all", fail)
    with daemon(config, monkeypatch) as (store, go_on):
        go_on(3 * HOUR)
        assert {store.job(f"collect/{name}").outcome for name in ("exports", "people")} == {"ok"}
        assert store.job("evaluate").outcome == "failed"


def test_a_delivery_of_nothing_is_not_worth_a_line(config, monkeypatch, caplog):
    caplog.set_level(logging.INFO, "keyresults")
    config.write_text(config.read_text() + '\n[notify.chat]\nurl = { env = "CHAT" }\n')
    with daemon(config, monkeypatch) as (store, go_on):
        go_on(10 * MINUTE)
        assert store.job("deliver").outcome == "ok"
    assert "evaluate: done" in caplog.messages
    assert "deliver: done" not in caplog.messages
