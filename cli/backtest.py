from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import completing
from .invocation import Invocation, pass_invocation
from .names import known_metrics
from .printing import save, write

if TYPE_CHECKING:
    from ..jobs.backtest import Series


TOO_SHORT = "no past is long enough: a forecast takes twelve weeks before it, and 60 days after it to be judged by"


@click.command()
@click.argument("metrics", nargs=-1, metavar="[METRIC]…", shell_complete=completing.metrics)
@click.option(
    "--histories",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Instead of the config's metrics: NAME.commits.csv.gz and NAME.tags.csv.gz of repositories.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write every forecast, its target and its outcome into this CSV file.",
)
@pass_invocation
def backtest(invocation: Invocation, metrics: tuple[str, ...], histories: Path | None, output: Path | None) -> None:
    """Forecast the past anew, and say how good that was.

    Of the metrics that are stored (or those named), each forecast knows what was known on its day.
    Printed are how often outcomes lay in the 80 % range, scores beside those of simple rivals, and
    how often what was called likely came true. docs/forecast.md says what the figures mean.

    \b
    Examples:
      keyresults backtest
      keyresults backtest p99 --output p99.csv
      keyresults backtest --histories histories/ --output forecasts.csv
    """
    from ..jobs.backtest import backtest as trials_of
    from ..krs.trials import track_record
    from ..reports.trials import as_csv, figures

    if metrics and histories is not None:
        raise click.UsageError("name metrics of the config, or a folder of histories")
    several = _of_histories(histories) if histories is not None else _of_the_config(invocation, metrics)
    trials = [trial for series in several for trial in trials_of(series)]
    if output is not None:
        save(output, as_csv(trials))
    if not trials:
        raise click.ClickException(TOO_SHORT)
    write(figures(track_record(trials)))


def _of_histories(folder: Path) -> Iterator[Series]:
    from ..jobs.histories import NoHistories, read_histories, series_of

    try:
        read = read_histories(folder)
    except NoHistories as problem:
        raise click.ClickException(str(problem)) from problem
    for number, history in enumerate(read, start=1):
        click.echo(f"{history.name} ({number} of {len(read)})", err=True)
        yield from series_of(history)


def _of_the_config(invocation: Invocation, names: Sequence[str]) -> Iterator[Series]:
    from ..jobs.own_series import own_series

    workspace = invocation.open()
    wanted = known_metrics(names, workspace.config)
    for number, name in enumerate(wanted, start=1):
        click.echo(f"{name} ({number} of {len(wanted)})", err=True)
        found = own_series(workspace, name)
        if isinstance(found, str):
            click.echo(f"  left out: {found}", err=True)
        else:
            yield found
