"""Key results on measures that a later release computes."""

from job_scenes import NOW, rows, workspace, write_scene
from keyresults.jobs.collect import collect
from keyresults.jobs.evaluate import evaluate
from keyresults.krs.judgement import Status
from keyresults.metrics.measures import PLANNED

METRIC = """
[metrics.{measure}]
source = "exports"
measure = "{measure}"
"""

KEY_RESULT = """
  [[objectives.key_results]]
  id = "{measure}"
  title = "Measured by a later release"
  metric = "{measure}"
  target = {{ to = {to} }}
"""


def amount(measure: str) -> str:
    return '"20%"' if measure.endswith("rate") else '"2h"' if "time" in measure else "20"


def test_they_are_unknown_and_say_why_and_nothing_else_suffers(tmp_path):
    metrics = "".join(METRIC.format(measure=m) for m in PLANNED)
    key_results = "".join(KEY_RESULT.format(measure=m, to=amount(m)) for m in PLANNED)
    config = write_scene(tmp_path, rows(20), metrics=metrics, key_results=key_results)
    with workspace(config) as space:
        assert not collect(space).failed
        report = evaluate(space, as_of=NOW)
    found = {kr.id: kr.judgement for kr in report.objectives[0].key_results}
    for measure in PLANNED:
        assert found[measure].status is Status.UNKNOWN
        assert f"{measure} is not computed by this release yet" in found[measure].why
    assert found["daily"].reading is not None
