"""Who is told what: which channels read of something that somebody answers for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..config.model import Config, Occasion
from ..krs.owners import answers_for


def readers(config: Config, occasion: Occasion, owned_by: Sequence[str]) -> tuple[str, ...]:
    """The channels of the teams that answer for it; where none of theirs wants it, every one that does."""
    wanting = _wanting(config, occasion)
    theirs = _theirs(config, owned_by)
    return tuple(name for name in wanting if name in theirs) or wanting


def open_readers(config: Config, occasion: Occasion, owned_by: Sequence[str]) -> tuple[str, ...]:
    """Those, and the channels that are no team's: they are told of everybody's."""
    wanting, theirs = _wanting(config, occasion), _theirs(config, owned_by)
    of_teams = {name for team in config.teams.values() for name in team.notify}
    return tuple(name for name in wanting if name in theirs or name not in of_teams) or wanting


def report_readers(config: Config, channels: Sequence[str]) -> tuple[str, ...]:
    """Those of a report's channels that want reports."""
    wanting = _wanting(config, "report")
    return tuple(name for name in channels if name in wanting)


def unheard(config: Config) -> Iterator[str]:
    """Reports that are sent to channels which don't want any, in words."""
    for report in config.reports.values():
        for name in sorted({*report.notify} - {*report_readers(config, report.notify)}):
            yield f'[reports.{report.name}] is not sent to {name}: its tell leaves "report" out'


def _wanting(config: Config, occasion: Occasion) -> tuple[str, ...]:
    return tuple(channel.name for channel in config.notify.values() if occasion in channel.tell)


def _theirs(config: Config, owned_by: Sequence[str]) -> frozenset[str]:
    people = {team.name: team.people for team in config.teams.values()}
    teams = (team for team in config.teams.values() if answers_for(team.name, owned_by, people))
    return frozenset(name for team in teams for name in team.notify)
