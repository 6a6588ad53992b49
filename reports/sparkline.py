"""A key result's daily values as a small line beside its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

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
    place = _placing(points)
    every = -(-len(points) // _MOST)
    paths = Markup(" ").join(_path(stretch[::-every][::-1], place) for stretch in stretches)
    x, y = place(points[-1])
    return Markup(
        '<svg class="spark" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<path d="{}"/><circle cx="{}" cy="{}" r="2.5"/></svg>'
    ).format(WIDTH, HEIGHT, label, paths, x, y)


def _path(stretch: Sequence[Point], place: Callable[[Point], tuple[str, str]]) -> str:
    drawn = "M" + "L".join(f"{x},{y}" for x, y in map(place, stretch))
    return drawn if len(stretch) > 1 else f"{drawn}h0"


def _placing(points: Sequence[Point]) -> Callable[[Point], tuple[str, str]]:
    """Where a point lies in the picture that all of them fill."""
    first, days = points[0][0], (points[-1][0] - points[0][0]).days
    low, high = min(v for _, v in points), max(v for _, v in points)

    def place(point: Point) -> tuple[str, str]:
        across = (point[0] - first).days / days * (WIDTH - 2 * _EDGE) + _EDGE
        share = (point[1] - low) / (high - low) if high > low else 0.5
        return f"{across:.4g}", f"{HEIGHT - _EDGE - share * (HEIGHT - 2 * _EDGE):.4g}"

    return place
