"""The paper's figures 2 and 3 as SVG: learning curves of the units on one data set, by update and by wall clock.

Chung et al. draw training and validation NLL on a logarithmic axis, above against iterations and below against time,
so that a unit that learns more an update and one that makes more updates a second can be told apart.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gatedtui.page import axes, svg
from gatedtui.page.ramp import GROUND, OTHER, UNITS, mixed

WIDE, HIGH = 720.0, 250.0
LEFT, RIGHT, TOP, GAP, FOOT = 64.0, 24.0, 92.0, 62.0, 48.0
"""Pixels: a panel, and what lies around the two of them."""
INK, FAINT, GRID = "#d8dbe2", "#7d8494", "#262b36"
SHAPES = {"tanh": "▲", "lstm": "■", "gru": "●"}
POINTS = 600
"""Most points of a line: a panel has 720 pixels."""
SPARE = 0.04
"""Of the range, above and below the curves."""


@dataclass(frozen=True)
class Curve:
    """One run, an entry an epoch in each list; what is not finite is NaN and leaves a gap.

    Attributes:
        unit: `tanh`, `lstm` or `gru`: its colour and shape.
        label: its name in the legend.
        updates: updates done at each epoch's end.
        seconds: seconds of training at each epoch's end.
        train: training NLL, nats a frame, with weight noise on.
        valid: validation NLL, nats a frame.
        best: which epoch's model is kept, or None.
    """

    unit: str
    label: str
    updates: Sequence[float]
    seconds: Sequence[float]
    train: Sequence[float]
    valid: Sequence[float]
    best: int | None = None


def learning_curves(title: str, curves: Sequence[Curve]) -> str:
    """The SVG of one data set's curves: two panels with one vertical axis, logarithmic where all NLLs are above zero.

    Args:
        title: what stands above.
        curves: one a unit; those without an epoch are left out.
    """
    shown = [curve for curve in curves if len(curve.updates)]
    values = [value for curve in shown for value in (*curve.train, *curve.valid) if math.isfinite(value)]
    if not values:
        parts = [svg.text(LEFT, 60, "No epoch has been finished yet.", FAINT)]
        return svg.document(LEFT + WIDE + RIGHT, 120, [_heading(title), *parts], title=title, ground=GROUND)
    scale = _Scale.around(values)
    upper = _panel(shown, scale, [c.updates for c in shown], "updates", axes.ticks, axes.texts)
    clock = _panel(shown, scale, [c.seconds for c in shown], "training time", axes.time_ticks, _clocks)
    parts = [_heading(title), *_legend(shown, scale.log), svg.group(upper, x=LEFT, y=TOP)]
    parts.append(svg.group(clock, x=LEFT, y=TOP + HIGH + GAP))
    tall = TOP + 2 * HIGH + GAP + FOOT
    about = f"Learning curves: {title}. Above by update, below by training time; {'; '.join(_told(shown))}"
    return svg.document(LEFT + WIDE + RIGHT, tall, parts, title=about, ground=GROUND)


@dataclass(frozen=True)
class _Scale:
    """From NLL to pixels from above."""

    low: float
    high: float
    log: bool

    @classmethod
    def around(cls, values: Sequence[float]) -> "_Scale":
        """One that shows all values, with a little room."""
        low, high = min(values), max(values)
        if low > 0:
            ratio = (high / low) ** SPARE if high > low else 1.05
            return cls(low / ratio, high * ratio, True)
        room = SPARE * (high - low) or 0.5
        return cls(low - room, high + room, False)

    def y(self, value: float) -> float:
        of = math.log if self.log else float
        return HIGH * (of(self.high) - of(value)) / (of(self.high) - of(self.low))


def _panel(
    curves: Sequence[Curve],
    scale: _Scale,
    across: Sequence[Sequence[float]],
    name: str,
    ticks: Callable[[float, float, int], list[float]],
    texts: Callable[[Sequence[float]], list[str]],
) -> list[str]:
    furthest = max((x[-1] for x in across), default=0.0) or 1.0
    parts = []
    heights = (axes.log_ticks if scale.log else axes.ticks)(scale.low, scale.high, 7)
    for value, text in zip(heights, axes.texts(heights), strict=True):
        y = scale.y(value)
        parts += [svg.line([(0, y), (WIDE, y)], GRID), svg.text(-8, y + 4, text, FAINT, size=11, anchor="end")]
    places = ticks(0.0, furthest, 8)
    for value, text in zip(places, texts(places), strict=True):
        x = WIDE * value / furthest
        parts += [
            svg.line([(x, HIGH), (x, HIGH + 4)], FAINT),
            svg.text(x, HIGH + 18, text, FAINT, size=11, anchor="middle"),
        ]
    parts += [svg.line([(0, HIGH), (WIDE, HIGH)], FAINT), svg.text(WIDE, HIGH + 36, name, FAINT, size=11, anchor="end")]
    for curve, xs in zip(curves, across, strict=True):
        hue, places = UNITS.get(curve.unit, OTHER), [WIDE * x / furthest for x in xs]
        parts += _lines(places, curve.train, scale, mixed(GROUND, hue, 0.55), 1.0)
        parts += _lines(places, curve.valid, scale, hue, 1.8)
        if curve.best is not None and math.isfinite(curve.valid[curve.best]):
            y = scale.y(curve.valid[curve.best])
            parts.append(
                svg.text(places[curve.best], y + 5, SHAPES.get(curve.unit, "◆"), INK, size=13, anchor="middle")
            )
    return parts


def _lines(xs: Sequence[float], ys: Sequence[float], scale: _Scale, stroke: str, width: float) -> list[str]:
    """The line through the points, broken where a value is missing; thinned where there are more than can be seen."""
    each = -(-len(xs) // POINTS)
    kept = [n for n in range(len(xs)) if n % each == 0 or n == len(xs) - 1 or not math.isfinite(ys[n])]
    lines: list[list[tuple[float, float]]] = [[]]
    for n in kept:
        if math.isfinite(ys[n]):
            lines[-1].append((xs[n], scale.y(ys[n])))
        elif lines[-1]:
            lines.append([])
    # One point is a short stroke, else a run of a single epoch would not be seen.
    return [
        svg.line(line if len(line) > 1 else [line[0], (line[0][0] + 2, line[0][1])], stroke, width=width)
        for line in lines
        if line
    ]


def _legend(curves: Sequence[Curve], log: bool) -> list[str]:
    parts, x = [], LEFT
    for curve, told in zip(curves, _told(curves), strict=True):
        parts.append(svg.text(x, 50, f"{SHAPES.get(curve.unit, '◆')} {told}", UNITS.get(curve.unit, OTHER)))
        x += 40 + 7.0 * len(told)
    axis = "nats a frame, logarithmic" if log else "nats a frame"
    what = f"validation bright, training (with weight noise) dim; the sign is the best epoch; {axis}"
    return [*parts, svg.text(LEFT, 70, what, FAINT, size=11)]


def _told(curves: Sequence[Curve]) -> list[str]:
    return [
        f"{curve.label}: {curve.valid[curve.best]:.2f}" if curve.best is not None else curve.label for curve in curves
    ]


def _heading(title: str) -> str:
    return svg.text(LEFT, 27, title, INK, size=16)


def _clocks(values: Sequence[float]) -> list[str]:
    if any(value != round(value) for value in values):
        return [f"{text} s" for text in axes.texts(values)]
    return [axes.clock(value) for value in values]
