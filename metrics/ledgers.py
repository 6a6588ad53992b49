"""Which ledger each measure is read off."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from . import changes, ci, delivery, deployments, incidents, recovery, samples
from .definition import MetricDefinition
from .ledger import Ledger
from .table import FactTables

RULES = 2
"""Raised whenever a measure would say something else of the same facts, so that no reading kept before is shown."""

LEDGERS: Mapping[str, Callable[[MetricDefinition, FactTables, datetime], Ledger]] = {
    "deployment_frequency": deployments.forward_ledger,
    "deployment_days": deployments.forward_ledger,
    "deployment_count": deployments.forward_ledger,
    "rollback_rate": deployments.rollback_ledger,
    "deployment_duration": deployments.duration_ledger,
    "deployment_attempt_failure_rate": deployments.attempt_ledger,
    "change_failure_rate": delivery.failure_ledger,
    "lead_time_for_changes": delivery.lead_time_ledger,
    "failed_deployment_recovery_time": recovery.recovery_ledger,
    "deployment_rework_rate": recovery.rework_ledger,
    "ci_success_rate": ci.success_ledger,
    "ci_duration": ci.duration_ledger,
    "ci_flaky_rate": ci.flaky_ledger,
    "change_count": changes.count_ledger,
    "change_cycle_time": changes.cycle_ledger,
    "change_review_time": changes.review_ledger,
    "incident_count": incidents.count_ledger,
    "test_coverage": samples.coverage_ledger,
    "test_pass_rate": samples.pass_ledger,
    "test_count": samples.ran_ledger,
    "sampled": samples.value_ledger,
    "histogram_quantile": samples.histogram_ledger,
}
