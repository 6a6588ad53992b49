from __future__ import annotations

from pathlib import Path

import click

from .printing import write


@click.command()
@click.argument("directory", type=click.Path(file_okay=False, exists=True, path_type=Path), default=".")
def init(directory: Path) -> None:
    """Look around in a repository and write a config that works.

    \b
    Examples:
      keyresults init
      keyresults init path/to/repository
    """
    import os

    from ..jobs.clock import now
    from ..jobs.init import initialise

    result = initialise(directory, environ=os.environ, clock=now)
    write("".join(f"{line}\n" for line in result.lines))
