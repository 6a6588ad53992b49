from __future__ import annotations

from pathlib import Path

import click

from .printing import save, write


@click.command()
@click.option(
    "--histories",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    required=True,
    help="Where NAME.commits.csv.gz and NAME.tags.csv.gz of repositories are.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write every forecast, its target and its outcome into this CSV file.",
)
def backtest(histories: Path, output: Path | None) -> None:
    """Forecast the past anew, and say how good that was.

    Each knows what was known on its day. Printed are how often outcomes lay in the 80 % range,
    scores beside those of simple rivals, and how often what was called likely came true.
    docs/forecast.md says what the figures mean, and what the files hold.

    \b
    Examples:
      keyresults backtest --histories histories/
      keyresults backtest --histories histories/ --output forecasts.csv
    """
    from ..jobs.backtest import backtest as trials_of
    from ..jobs.histories import NoHistories, read_histories, series_of
    from ..krs.trials import track_record
    from ..reports.trials import as_csv, figures

    try:
        read = read_histories(histories)
    except NoHistories as problem:
        raise click.ClickException(str(problem)) from problem
    trials = []
    for number, history in enumerate(read, start=1):
        click.echo(f"{history.name} ({number} of {len(read)})", err=True)
        trials += [trial for series in series_of(history) for trial in trials_of(series)]
    if output is not None:
        save(output, as_csv(trials))
    write(figures(track_record(trials)))
