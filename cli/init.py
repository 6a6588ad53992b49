from __future__ import annotations

from pathlib import Path

import click

from .invocation import Invocation, pass_invocation
from .printing import write
from .watched import watched


@click.command()
@click.argument("directory", type=click.Path(file_okay=False, exists=True, path_type=Path), default=".")
@pass_invocation
def init(invocation: Invocation, directory: Path) -> None:
    """Look around in a repository and write a config that works.

    It measures where the repository stands and proposes key results from its own history. A config
    that is there already is never overwritten.

    \b
    Examples:
      keyresults init
      keyresults init path/to/repository
    """
    import os

    from ..jobs.clock import now
    from ..jobs.init import AlreadyConfigured, CannotWrite, initialise

    if invocation.config is not None:
        raise click.UsageError("init writes keyresults.toml into DIRECTORY; --config names a config that is there")
    try:
        with watched() as progress:
            result = initialise(directory, environ=os.environ, clock=now, progress=progress)
    except (AlreadyConfigured, CannotWrite) as problem:
        raise click.ClickException(str(problem)) from problem
    write("".join(f"{line}\n" for line in result.lines))
