"""A collection for trial: what a config asks is collected into a store that is thrown away afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from ..config.load import FILE, load
from ..config.model import Config
from ..metrics.facts import FactKind
from ..metrics.reading import Reading
from ..metrics.window import WindowLength
from ..reports.values import StreamRun
from .collect import backfill
from .evidence import Evaluation
from .progress import Progress
from .workspace import Workspace


@dataclass(frozen=True)
class Trial:
    """What was found, and the collections that failed."""

    config: Config
    evaluation: Evaluation
    failed: Sequence[StreamRun]

    def reading(self, metric: str, days: int, at: datetime) -> Reading:
        """The metric over the `days` before `at`."""
        return self.evaluation.measurement(metric, window=WindowLength(days)).readings([at], at)[0]

    def has(self, metric: str) -> bool:
        return metric in self.config.metrics

    def trouble(self, source: str, kind: FactKind) -> StreamRun | None:
        """The collection that failed where this kind of fact was asked for, if one did."""
        own = (run for run in self.failed if run.source == source)
        # One without a stream failed before any was known.
        return next((run for run in own if not run.stream or run.stream.startswith(f"{source}/{kind}/")), None)


@contextmanager
def trial(
    text: str, path: Path, since: Mapping[str, date], clock: Callable[[], datetime], progress: Progress
) -> Iterator[Trial]:
    """Collects every source of this config, as if it stood at `path`, back to the day `since` says for its name."""
    with TemporaryDirectory(prefix="keyresults-") as folder:
        workspace = Workspace(read_as(text, path, Path(folder)), writing=True, clock=clock)
        with workspace:
            runs: list[StreamRun] = []
            for name, day in since.items():
                runs += backfill(workspace, since=day, sources=(name,), progress=progress).runs
            evaluation = Evaluation(workspace.config, workspace.store, clock())
            yield Trial(workspace.config, evaluation, [run for run in runs if run.outcome != "ok"])


def read_as(text: str, path: Path, folder: Path) -> Config:
    """The config in `text`, its relative paths meant from `path`; its store, where it names none, lies in `folder`.

    Raises:
        ConfigProblems: where it is none.
    """
    draft = folder / FILE
    draft.write_text(text, encoding="utf-8")
    return replace(load(draft), path=path)
