"""What the report as a page costs beside drawing its charts alone: python bench/report.py [KEY_RESULTS]

100 key results with a quarter of days, 50 facts, three moves, three check-ins and a revision each, in whole processes
that make the report's value first (which isn't timed) and then write the page. The rival draws the same charts with
the same library, one Vega-Lite specification after the other, and does nothing else. The goals are 6 s and 3 MB.
"""

from __future__ import annotations

import json
import sys
import time
from statistics import median
from typing import TYPE_CHECKING

from stage.processes import PYTHON, Spent, in_turn, middle, run

if TYPE_CHECKING:
    from keyresults.reports.drawing import Picture, Spec

ROUNDS = 5


def page(key_results: int) -> None:
    from stage.reported import report

    found = report(key_results)
    began, cpu = time.perf_counter(), time.process_time()
    from keyresults.reports import html

    text = html.full_report(found)
    tell(began, cpu, len(text.encode()))


def charts(key_results: int) -> None:
    from keyresults.reports.charts import chart
    from keyresults.reports.course import Course
    from keyresults.reports.dates import Dates
    from stage.reported import report

    found = report(key_results)
    dates = Dates.seen_at(found.as_of, found.timezone)
    specs = [whole(chart(kr, Course.of(kr, dates), dates)) for o in found.objectives for kr in o.key_results]
    began, cpu = time.perf_counter(), time.process_time()
    import vl_convert

    tell(began, cpu, sum(len(vl_convert.vegalite_to_svg(one, vl_version="5.21").encode()) for one in specs))


def whole(picture: Picture) -> Spec:
    """The chart as one writes it down for Vega-Lite: with its data and its parameters in it."""
    params = [{"name": name, "value": value} for name, value in picture.settings.items()]
    return picture.spec | {"datasets": picture.rows, "params": params}


def tell(began: float, cpu: float, size: int) -> None:
    print(json.dumps({"wall": time.perf_counter() - began, "cpu": time.process_time() - cpu, "bytes": size}))


def shown(name: str, spent: list[Spent]) -> dict[str, float]:
    told = {key: median(one.told()[key] for one in spent) for key in ("wall", "cpu", "bytes")}
    print(
        f"{name:18} {told['wall']:6.2f} s, processor {told['cpu']:6.2f} s,"
        f" peak {middle(spent).peak:4.0f} MiB, {told['bytes'] / 1e6:.2f} MB"
    )
    return told


def main(key_results: int) -> None:
    steps = [[PYTHON, __file__, step, str(key_results)] for step in ("page", "charts")]
    ours, theirs = in_turn(ROUNDS, *(lambda step=step: run(step) for step in steps))
    print(f"a page of {key_results} key results")
    mine, rival = shown("the page", ours), shown("its charts alone", theirs)
    print(f"ratios: wall {mine['wall'] / rival['wall']:.2f}, processor {mine['cpu'] / rival['cpu']:.2f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["page"]:
        page(int(sys.argv[2]))
    elif sys.argv[1:2] == ["charts"]:
        charts(int(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
