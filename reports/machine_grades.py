"""Grades as JSON, described by docs/json.md."""

from __future__ import annotations

from ..krs.grading import Grade, ObjectiveGrade

Object = dict[str, object]


def of_key_result(grade: Grade | None) -> Object | None:
    if grade is None:
        return None
    first = grade.first
    return {
        "value": grade.value,
        "succeeded": grade.succeeded,
        "first": None if first is None else {"value": first.value, "succeeded": first.succeeded},
        "by_hand": grade.by_hand or None,
        "early": grade.early,
        "days": grade.days,
        "unknown_days": [day.isoformat() for day in grade.unknown],
    }


def of_objective(grade: ObjectiveGrade | None) -> Object | None:
    if grade is None:
        return None
    return {
        "value": grade.value,
        "graded": grade.graded,
        "succeeded": grade.succeeded,
        "total": grade.total,
        "too_easy": grade.too_easy,
    }
