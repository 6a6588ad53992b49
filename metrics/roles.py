"""What a deployment may be taken for in the order of its track."""

from __future__ import annotations

FORWARD = "forward"
ROLLBACK = "rollback"
REDEPLOY = "redeploy"
DUPLICATE = "duplicate"
ELSEWHERE = "counted elsewhere"
UNSUCCESSFUL = "not successful"
OTHER_ENVIRONMENT = "other environment"
OTHER_TASK = "other task"
OTHER_SERVICE = "other service"

NO_SERVICE = "no service's"
UNKNOWN_FILES = "files not known"

OUTSIDE = frozenset({OTHER_ENVIRONMENT, OTHER_TASK, OTHER_SERVICE, NO_SERVICE, UNKNOWN_FILES})
"""Roles of deployments and changes that the metric isn't about."""

SHIPPED_ROLES = frozenset({FORWARD, ROLLBACK, REDEPLOY, ELSEWHERE})
"""Roles of the deployments that brought their commit into the environment."""
