"""A collection for trial: what a config asks is collected into a store that is thrown away afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from ..config.load import FILE, load
from ..config.model import Config
from ..metrics.reading import Reading
from ..metrics.window import WindowLength
from .collect import backfill
from .evidence import Evaluation
from .progress import Progress
from .workspace import Workspace


@dataclass(frozen=True)
class Trial:
    """What was found. `troubles` says in words why a source gave nothing, by its name."""

    config: Config
    evaluation: Evaluation
    troubles: Mapping[str, str]

    def reading(self, metric: str, days: int, at: datetime) -> Reading:
        """The metric over the `days` before `at`."""
        return self.evaluation.measurement(metric, window=WindowLength(days)).readings([at], at)[0]

    def has(self, metric: str) -> bool:
        return metric in self.config.metrics


@contextmanager
def trial(
    text: str, path: Path, since: Mapping[str, date], clock: Callable[[], datetime], progress: Progress
) -> Iterator[Trial]:
    """Collects every source of this config, as if it stood at `path`, back to the day `since` says for its name."""
    with TemporaryDirectory(prefix="keyresults-") as folder:
        workspace = Workspace(read_as(text, path, Path(folder)), writing=True, clock=clock)
        with workspace:
            troubles: dict[str, str] = {}
            for name, day in since.items():
                result = backfill(workspace, since=day, sources=(name,), progress=progress)
                troubles |= {run.source: run.error for run in result.runs if run.error}
            yield Trial(workspace.config, Evaluation(workspace.config, workspace.store, clock()), troubles)


def read_as(text: str, path: Path, folder: Path) -> Config:
    """The config in `text`, its relative paths meant from `path`; its store, where it names none, lies in `folder`.

    Raises:
        ConfigProblems: where it is none.
    """
    draft = folder / FILE
    draft.write_text(text, encoding="utf-8")
    return replace(load(draft), path=path)
