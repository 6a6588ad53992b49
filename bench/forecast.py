"""How good forecasts are on repositories they were not tuned on: python bench/forecast.py [apart|tuned|all]

The parameters of the method were chosen on six repositories (`tuned`) and then judged on five others (`apart`, which
is what it prints by default). The rivals stand beside the scores: no change, give or take what that was wrong by
before; how often the past satisfied the target; and the best constant, which nobody knows beforehand.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from keyresults.jobs.backtest import backtest
from keyresults.jobs.histories import read_histories, series_of
from keyresults.krs.trials import track_record
from keyresults.reports.trials import figures

HISTORIES = Path(__file__).parent / "histories"
TUNED_ON = {"PyGithub", "flask", "gatus", "incubator-devlake", "operately", "structlog"}


def main(wanted: str) -> None:
    began = time.process_time()
    found = [h for h in read_histories(HISTORIES) if wanted == "all" or (h.name in TUNED_ON) == (wanted == "tuned")]
    trials = [trial for history in found for series in series_of(history) for trial in backtest(series)]
    print(f"{', '.join(history.name for history in found)}\n")
    print(figures(track_record(trials)))
    print(f"{time.process_time() - began:.0f} s of processor time")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "apart")
