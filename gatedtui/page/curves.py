"""Learning curves on a page: NLL by update and by wall clock, train and validation, linear and logarithmic.

All four pictures are in the page, so that it shows curves without a script; with one, a button changes the axis and
values are told where the pointer is.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from gatedtui.events import Epoch
from gatedtui.page import axes, looks
from gatedtui.page.html import Markup, data, join, tag

WIDE, HIGH = 520.0, 300.0
LEFT, RIGHT, TOP, FOOT = 46.0, 14.0, 12.0, 40.0
"""The margins of a picture, in its own pixels."""
POINTS = 300
"""Most points of a line: more than a picture has room for."""
Across = Literal["updates", "elapsed_s"]
ACROSS: dict[Across, str] = {"updates": "updates", "elapsed_s": "wall clock"}


@dataclass(frozen=True)
class Curve:
    """A run's epochs, and how it is drawn."""

    label: str
    unit: str
    epochs: Sequence[Epoch]
    best: Epoch | None
    paper_nll: float | None = None
    """The paper's test figure."""


@dataclass(frozen=True)
class _Frame:
    """What part of the plane a picture shows."""

    low_x: float
    high_x: float
    low_y: float
    high_y: float
    log: bool

    def x(self, value: float) -> float:
        """Pixels from the left."""
        return LEFT + (value - self.low_x) / (self.high_x - self.low_x) * (WIDE - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Pixels from above."""
        of = math.log if self.log else float
        low, high = of(self.low_y), of(self.high_y)
        return TOP + (high - of(value)) / (high - low) * (HIGH - TOP - FOOT)


def section(curves: Sequence[Curve], *, number: int, guessing_nll: float | None) -> Markup:
    """Both charts of some runs, with their legend.

    Args:
        curves: runs with at least one epoch among them.
        number: of the section on the page, from 1.
        guessing_nll: nats a frame of guessing by frequency, drawn where it lies in the picture.
    """
    shown = [curve for curve in curves if curve.epochs]
    values = _finite([value for curve in shown for e in curve.epochs for value in (e.train_nll, e.valid_nll)])
    if not shown or not values:
        return tag("p", "There is no finished epoch to draw.", class_="note")
    logs = min(values) > 0
    papers = "; dashed, the paper's test figure" if any(curve.paper_nll is not None for curve in shown) else ""
    scales = (False, True) if logs else (False,)
    charts = [
        tag(
            "figure",
            tag(
                "div",
                *(_picture(shown, across, _frame(shown, across, log=log), guessing_nll) for log in scales),
                class_="chart",
                data_across=across,
            ),
            tag("figcaption", f"By {title}: nats a frame; validation bright, training (noise on) dim{papers}."),
        )
        for across, title in ACROSS.items()
    ]
    toggle = tag("button", "Logarithmic", type="button", class_="log", aria_pressed="false") if logs else None
    why = None if logs else tag("span", "A density's NLL may lie below zero: no logarithmic axis.", class_="note")
    return tag(
        "div",
        data(f"curves-{number}", _told(shown)),
        tag("div", toggle, why, class_="bar scripted plain"),
        _legend(shown),
        tag("div", *charts, class_="charts"),
        class_="curves",
    )


def _told(curves: Sequence[Curve]) -> list[dict[str, object]]:
    """The numbers that are read off."""
    return [
        {
            "label": curve.label,
            "unit": curve.unit,
            "sign": looks.SIGNS.get(curve.unit, "◆"),
            "epochs": [
                [e.epoch, e.updates, _short(e.elapsed_s), _short(e.train_nll), _short(e.valid_nll)]
                for e in curve.epochs
            ],
        }
        for curve in curves
    ]


def _short(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None


def _legend(curves: Sequence[Curve]) -> Markup:
    rows = []
    for curve in curves:
        best = f" best {looks.nll(curve.best.valid_nll)} at epoch {curve.best.epoch}" if curve.best else ""
        rows.append(tag("li", looks.sign(curve.unit), " ", curve.label, tag("span", best, class_="facts")))
    return tag("ul", *rows, class_="legend")


def _frame(curves: Sequence[Curve], across: Across, *, log: bool) -> _Frame:
    """The range of what is drawn; the first epochs, when NLLs fall steeply, do not make the rest flat."""
    xs = [float(getattr(e, across)) for curve in curves for e in curve.epochs]
    ys = sorted(_finite([v for curve in curves for e in curve.epochs for v in (e.train_nll, e.valid_nll)]))
    low, high = ys[0], ys[-1] if log else ys[min(len(ys) - 1, math.ceil(0.98 * len(ys)))]
    spare = 0.06 * (high - low) or 0.5
    low_y = low / 1.02 if log else low - spare
    return _Frame(
        0.0, max(*xs, 1e-9) if len(xs) > 1 else max(xs[0], 1.0), low_y, high * 1.02 if log else high + spare, log
    )


def _finite(values: Sequence[float]) -> list[float]:
    return [value for value in values if math.isfinite(value)]


def _picture(curves: Sequence[Curve], across: Across, frame: _Frame, guessing_nll: float | None) -> Markup:
    parts = [*_grid(frame, across)]
    if guessing_nll is not None and frame.low_y < guessing_nll < frame.high_y:
        parts += _reference(frame, guessing_nll, "guessing by frequency", "")
    for curve in curves:
        if curve.paper_nll is not None and frame.low_y < curve.paper_nll < frame.high_y:
            # Without words: the three lie close together, and the caption has them.
            parts += _reference(frame, curve.paper_nll, "", curve.unit)
    for curve in curves:
        parts += [_line(curve, across, frame, lambda e: e.train_nll, "train")]
    for curve in curves:
        parts += [_line(curve, across, frame, lambda e: e.valid_nll, "valid")]
        if curve.best is not None and frame.low_y <= curve.best.valid_nll <= frame.high_y:
            x, y = frame.x(getattr(curve.best, across)), frame.y(curve.best.valid_nll)
            parts.append(tag("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r="4", class_=f"best {_class(curve)}"))
    scale = "logarithmic" if frame.log else "linear"
    names = ", ".join(curve.label for curve in curves)
    return tag(
        "svg",
        *parts,
        tag("line", y1=f"{TOP:g}", y2=f"{HIGH - FOOT:g}", class_="cursor", visibility="hidden"),
        viewBox=f"0 0 {WIDE:g} {HIGH:g}",
        role="img",
        aria_label=f"Learning curves by {ACROSS[across]}, {scale}: {names}",
        class_=scale,
        hidden=frame.log,
        data_left=f"{LEFT:g}",
        data_right=f"{WIDE - RIGHT:g}",
        data_most=f"{frame.high_x:.6g}",
    )


def _class(curve: Curve) -> str:
    return curve.unit if curve.unit in looks.ORDER else "file"


def _grid(frame: _Frame, across: Across) -> list[Markup]:
    """Lines and numbers of both axes."""
    parts: list[Markup] = []
    bottom = HIGH - FOOT
    ys = (axes.log_ticks if frame.log else axes.ticks)(frame.low_y, frame.high_y, 6)
    for value, text in zip(ys, axes.texts(ys), strict=True):
        y = f"{frame.y(value):.1f}"
        parts.append(tag("line", x1=f"{LEFT:g}", x2=f"{WIDE - RIGHT:g}", y1=y, y2=y, class_="grid"))
        parts.append(
            tag("text", text.replace("-", "−"), x=f"{LEFT - 7:g}", y=f"{frame.y(value) + 4:.1f}", text_anchor="end")
        )
    xs = axes.time_ticks(0.0, frame.high_x, 6) if across == "elapsed_s" else axes.ticks(0.0, frame.high_x, 6)
    texts = axes.clocks(xs) if across == "elapsed_s" else axes.texts(xs)
    for value, text in zip(xs, texts, strict=True):
        x = f"{frame.x(value):.1f}"
        parts.append(tag("line", x1=x, x2=x, y1=f"{bottom:g}", y2=f"{bottom + 4:g}", class_="base"))
        parts.append(tag("text", text, x=x, y=f"{bottom + 17:g}", text_anchor="middle"))
    parts.append(tag("line", x1=f"{LEFT:g}", x2=f"{WIDE - RIGHT:g}", y1=f"{bottom:g}", y2=f"{bottom:g}", class_="base"))
    parts.append(tag("text", ACROSS[across], x=f"{WIDE - RIGHT:g}", y=f"{HIGH - 6:g}", text_anchor="end"))
    return parts


def _reference(frame: _Frame, value: float, text: str, unit: str) -> list[Markup]:
    y = frame.y(value)
    line = tag(
        "line", x1=f"{LEFT:g}", x2=f"{WIDE - RIGHT:g}", y1=f"{y:.1f}", y2=f"{y:.1f}", class_=f"reference {unit}".strip()
    )
    return [line] if not text else [line, tag("text", text, x=f"{WIDE - RIGHT:g}", y=f"{y - 4:.1f}", text_anchor="end")]


def _line(curve: Curve, across: Across, frame: _Frame, nll: Callable[[Epoch], float], kind: str) -> Markup:
    """A line through the epochs, broken where training was not finite or beyond the picture."""
    every = -(-len(curve.epochs) // POINTS)
    chosen = [e for at, e in enumerate(curve.epochs) if at % every == 0 or at == len(curve.epochs) - 1]
    words, drawing = [], False
    for epoch in chosen:
        value = nll(epoch)
        inside = math.isfinite(value) and frame.low_y <= value
        if inside:
            y = frame.y(min(value, frame.high_y))
            words.append(f"{'L' if drawing else 'M'}{frame.x(getattr(epoch, across)):.1f} {y:.1f}")
        drawing = inside
    return tag("path", d=join(*map(Markup, words)), class_=f"{kind} {_class(curve)}")
