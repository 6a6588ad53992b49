"""A key result's daily values as a small line beside its name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from .course import Point

WIDTH, HEIGHT = 120, 28
_EDGE = 3
_MOST = 60


def sparkline(stretches: Sequence[Sequence[Point]], label: str) -> Markup:
    """A line with gaps where days have no value; `label` says in words what can be seen. Empty for a single value."""
    points = [point for stretch in stretches for point in stretch]
    if len(points) < 2:
        return Markup("")
    paths = Markup(" ").join(_paths(stretches, points))
    x, y = _placed(points[-1], points)
    return Markup(
        '<svg class="spark" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<path d="{}"/><circle cx="{}" cy="{}" r="2.5"/></svg>'
    ).format(WIDTH, HEIGHT, label, paths, x, y)


def _paths(stretches: Sequence[Sequence[Point]], points: Sequence[Point]) -> Iterator[str]:
    every = -(-len(points) // _MOST)
    for stretch in stretches:
        shown = [*stretch[::-every][::-1]]
        yield (
            "M"
            + "L".join("{},{}".format(*_placed(point, points)) for point in shown)
            + ("h0" if len(shown) == 1 else "")
        )


def _placed(point: Point, points: Sequence[Point]) -> tuple[str, str]:
    first, days = points[0][0], (points[-1][0] - points[0][0]).days
    low, high = min(v for _, v in points), max(v for _, v in points)
    across = (point[0] - first).days / days * (WIDTH - 2 * _EDGE) + _EDGE
    share = (point[1] - low) / (high - low) if high > low else 0.5
    return f"{across:.4g}", f"{HEIGHT - _EDGE - share * (HEIGHT - 2 * _EDGE):.4g}"
