from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from .printing import write


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completions(ctx: click.Context, shell: str) -> None:
    """Print the script that completes commands in a shell.

    \b
    Examples:
      keyresults completions bash > ~/.local/share/bash-completion/completions/keyresults
      keyresults completions fish > ~/.config/fish/completions/keyresults.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None
    write(kind(ctx.find_root().command, {}, "keyresults", "_KEYRESULTS_COMPLETE").source() + "\n")
