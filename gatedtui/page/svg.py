"""A small writer of SVG: each function gives one element as text; nothing is loaded from anywhere when it is shown."""

from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape, quoteattr

FONT = "system-ui, -apple-system, 'Segoe UI', sans-serif"


def document(width: float, height: float, parts: Iterable[str], *, title: str, ground: str = "none") -> str:
    """A whole file.

    Args:
        width, height: in pixels at its natural size; it scales to what holds it.
        parts: the elements, back to front.
        title: what it shows, for readers who cannot see it.
        ground: the colour behind everything.
    """
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(width)} {_n(height)}" width="{_n(width)}" '
        f'height="{_n(height)}" role="img" font-family={quoteattr(FONT)}>'
    )
    return "\n".join([head, f"<title>{escape(title)}</title>", rect(0, 0, width, height, ground), *parts, "</svg>\n"])


def group(parts: Iterable[str], *, x: float = 0.0, y: float = 0.0, sx: float = 1.0, sy: float = 1.0) -> str:
    """Elements moved to `(x, y)` and stretched by `(sx, sy)`."""
    stretched = f" scale({_n(sx)} {_n(sy)})" if (sx, sy) != (1.0, 1.0) else ""
    return f'<g transform="translate({_n(x)} {_n(y)}){stretched}">{"".join(parts)}</g>'


def rect(x: float, y: float, width: float, height: float, fill: str) -> str:
    """A filled rectangle."""
    return f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" fill={quoteattr(fill)}/>'


def text(x: float, y: float, content: str, fill: str, *, size: float = 12.0, anchor: str = "start") -> str:
    """One line of text; `anchor` is which end of it stands at x: `start`, `middle` or `end`."""
    return (
        f'<text x="{_n(x)}" y="{_n(y)}" font-size="{_n(size)}" text-anchor={quoteattr(anchor)} '
        f"fill={quoteattr(fill)}>{escape(content)}</text>"
    )


def line(points: Sequence[tuple[float, float]], stroke: str, *, width: float = 1.0) -> str:
    """Straight lines from point to point."""
    path = " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke={quoteattr(stroke)} stroke-width="{_n(width)}"/>'


def cells(rows: Sequence[Sequence[int]], colours: Sequence[str]) -> str:
    """A picture of squares of side 1, `rows[y][x]` being the number of a colour; stretch it with `group`.

    One line a colour through all cells that have it, neighbours joined, and the commonest colour as the ground: a
    heat-map of 13,000 cells takes 60 kB so, and 900 kB as rectangles.
    """
    counts = [0] * len(colours)
    paths: list[list[str]] = [[] for _ in colours]
    for y, row in enumerate(rows):
        begin = 0
        for x in range(1, len(row) + 1):
            if x == len(row) or row[x] != row[begin]:
                counts[row[begin]] += x - begin
                paths[row[begin]].append(f"M{begin} {y}h{x - begin}")
                begin = x
    if not any(counts):
        return ""
    common = counts.index(max(counts))
    drawn = [rect(0, -0.5, max(map(len, rows)), len(rows), colours[common])]
    for number, path in enumerate(paths):
        if path and number != common:
            drawn.append(f'<path d="{"".join(path)}" stroke={quoteattr(colours[number])}/>')
    return f'<g transform="translate(0 0.5)" shape-rendering="crispEdges">{"".join(drawn)}</g>'


def _n(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".")
