from __future__ import annotations

import click

from .invocation import Invocation, as_of_instant, pass_invocation
from .options import ATTENTION, as_of_option, cycle_option, json_option
from .printing import show, write


@click.command()
@json_option
@as_of_option
@cycle_option
@click.option("--all", "with_ignored", is_flag=True, help="Also what the config says doesn't hold.")
@click.option(
    "--fail-on",
    multiple=True,
    metavar="CODE",
    help="Exit with 1 if this rule finds something; `any` stands for all of them. May come more than once.",
)
@pass_invocation
def lint(
    invocation: Invocation,
    as_json: bool,
    as_of: str | None,
    cycle: str | None,
    with_ignored: bool,
    fail_on: tuple[str, ...],
) -> None:
    """Say what makes objectives and key results fail.

    Too many, outputs, vanity, nobody owning them, and more.
    Rules that hold a key result against its metric's past speak once something was collected.
    docs/lint.md describes each.

    \b
    Examples:
      keyresults lint
      keyresults lint --json --all
      keyresults lint --fail-on KR102 --fail-on KR105
    """
    from ..jobs.lint import lint as lint_of

    wanted = _known(fail_on)
    workspace = invocation.open()
    found = lint_of(workspace, as_of=as_of_instant(workspace, as_of), cycle=cycle)
    shown = [one for one in found if with_ignored or one.ignored is None]
    if as_json:
        from ..reports.machine import lint as to_json

        write(to_json(shown))
    else:
        from ..reports.findings import findings

        show(findings(shown, ignored=len(found) - len(shown)))
    if any(one.code in wanted for one in found if one.ignored is None):
        click.get_current_context().exit(ATTENTION)


def _known(codes: tuple[str, ...]) -> frozenset[str]:
    from ..config.problem import near
    from ..krs.lint_rules import RULES

    if "any" in codes:
        return frozenset(RULES)
    for code in codes:
        if code not in RULES:
            raise click.BadParameter(f"there is no rule {code!r}{near(code, RULES)}", param_hint="--fail-on")
    return frozenset(codes)
