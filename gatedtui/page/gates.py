"""The picture of `gated gates --out FILE.svg`: the piece on top, a heat-map a gate below on the same time axis."""

from collections.abc import Sequence
from typing import Any

from gatedtui.page import svg
from gatedtui.page.ramp import GROUND, OTHER, UNITS, mixed, ramp

LEFT, WIDE, RIGHT = 64, 800, 128
"""Pixels: the names, the time axis, the histograms."""
TOP, GAP, FOOT = 58, 14, 34
INK, FAINT = "#d8dbe2", "#7d8494"
SHADES = 12
COLUMNS = 800
"""Most columns of a heat-map; longer pieces are averaged."""
TICKS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 600, 3600)
NAMES = {
    "r": "r reset",
    "z": "z update",
    "i": "i input",
    "f": "f forget",
    "o": "o output",
    "h": "|h| state",
}


def picture(about: dict[str, Any]) -> str:
    """The SVG of what `gatedtui.gates.describe` says, with `model` and `input` naming what was looked at."""
    hue = UNITS.get(about["unit"], OTHER)
    parts = [
        svg.text(LEFT, 24, f"{about['unit']} {about['hidden']} listening to {about['input']}", INK, size=16),
        svg.text(LEFT, 43, _facts(about), FAINT),
    ]
    y = float(TOP)
    for tall, drawn in [_piece(about, hue), *(_strip(*strip, hue) for strip in strips(about))]:
        parts.append(svg.group(drawn, y=y))
        y += tall + GAP
    parts.append(svg.group(_axis(about), x=LEFT, y=y))
    title = f"Gates of {about['model']} while it hears {about['input']}: rows are units, the most open on top"
    return svg.document(LEFT + WIDE + RIGHT, y + FOOT, parts, title=title, ground=GROUND)


def strips(about: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Name and description of each heat-map: the gates proper, then `h`; each with `values` and `order`, the numbers
    of its units, the most open (of h: the largest) first."""
    found = [(name, gate) for name, gate in about["gates"].items() if "mean_openness" in gate]
    h = about["h"]
    found.append(("h", {"values": h["magnitude"], "mean_openness": h["mean_magnitude"], "histogram": h["histogram"]}))
    return [(name, gate | {"order": order(gate["mean_openness"])}) for name, gate in found]


def order(openness: Sequence[float]) -> list[int]:
    """The numbers of units, the most open first; of equals the lower number first."""
    return sorted(range(len(openness)), key=lambda unit: -openness[unit])


def _facts(about: dict[str, Any]) -> str:
    layer = f"layer {about['layer']} of {about['layers']} · " if about["layers"] > 1 else ""
    nll = f" · {about['nll_frame']:.2f} nats a frame" if about["nll_frame"] is not None else ""
    return f"{layer}{about['steps']} steps{nll} · rows are units, the most open on top; dark is closed, bright is open"


def _piece(about: dict[str, Any], hue: str) -> tuple[float, list[str]]:
    if about["kind"] == "music":
        return _roll(about["roll"], hue)
    return _wave(about.get("waveform", ()), hue)


def _roll(roll: Sequence[Sequence[int]], hue: str) -> tuple[float, list[str]]:
    sounding = [pitch for frame in roll for pitch in frame] or [60]
    low, high = min(sounding) - 1, max(sounding) + 1
    rows = [[int(high - y in frame) for frame in roll] for y in range(high - low + 1)]
    tall = 3.0 * len(rows)
    lines = [
        part
        for pitch in range(low, high + 1)
        if pitch % 12 == 0
        for part in (
            svg.line([(LEFT, 3.0 * (high - pitch) + 1.5), (LEFT + WIDE, 3.0 * (high - pitch) + 1.5)], "#262b36"),
            svg.text(LEFT - 8, 3.0 * (high - pitch) + 5, f"C{pitch // 12 - 1}", FAINT, size=10, anchor="end"),
        )
    ]
    # The ground of the roll is left out, so that the lines of the octaves show through.
    notes = [
        svg.rect(begin, y, end - begin, 1, mixed(hue, INK, 0.35))
        for y, row in enumerate(rows)
        for begin, end in _runs(row)
    ]
    return tall, [*lines, svg.group(notes, x=LEFT, sx=WIDE / max(len(roll), 1), sy=3.0)]


def _runs(row: Sequence[int]) -> list[tuple[int, int]]:
    changes = [x for x in range(len(row) + 1) if (row[x] if x < len(row) else 0) != (row[x - 1] if x else 0)]
    return list(zip(changes[::2], changes[1::2], strict=True))


def _wave(samples: Sequence[float], hue: str) -> tuple[float, list[str]]:
    tall, count = 90.0, len(samples)
    if not count:
        return tall, []
    loudest = max(max(samples), -min(samples)) or 1.0
    points: list[tuple[float, float]] = []
    for x in range(min(WIDE, count)):
        part = samples[x * count // min(WIDE, count) : (x + 1) * count // min(WIDE, count)]
        place = LEFT + x * WIDE / min(WIDE, count)
        points += [(place, tall / 2 * (1 - value / loudest)) for value in (max(part), min(part))]
    return tall, [svg.line(points, mixed(hue, INK, 0.35), width=0.8)]


def _strip(name: str, gate: dict[str, Any], hue: str) -> tuple[float, list[str]]:
    values, units = gate["values"], gate["order"]
    each = -(-len(values) // COLUMNS)
    columns = [values[t : t + each] for t in range(0, len(values), each)]
    rows = [
        [min(int(sum(step[unit] for step in part) / len(part) * SHADES), SHADES - 1) for part in columns]
        for unit in units
    ]
    each_row = min(max(180.0 / max(len(units), 1), 1.0), 6.0)
    tall = each_row * len(units)
    heat = svg.group([svg.cells(rows, ramp(hue, SHADES))], x=LEFT, sx=WIDE / max(len(columns), 1), sy=each_row)
    letter, _, word = NAMES[name].partition(" ")
    mean = sum(gate["mean_openness"]) / max(len(units), 1)
    label = [
        svg.text(LEFT - 8, 14, letter, INK, size=15, anchor="end"),
        svg.text(LEFT - 8, 28, word, FAINT, size=10, anchor="end"),
        svg.text(LEFT - 8, 42, f"mean {mean:.2f}", FAINT, size=10, anchor="end"),
    ]
    return max(tall, 48.0), [*label, heat, *_histogram(gate["histogram"], max(tall, 48.0), hue)]


def _histogram(counts: Sequence[int], tall: float, hue: str) -> list[str]:
    """Bars upward over openness, closed at the left and open at the right."""
    left, wide, high = LEFT + WIDE + 16.0, RIGHT - 32.0, min(tall, 90.0) - 14
    most, shades = max(counts) or 1, ramp(hue, len(counts))
    bar = wide / len(counts)
    bars = [
        svg.rect(left + n * bar, high * (1 - count / most), bar * 0.85, high * count / most, mixed(shades[n], INK, 0.2))
        for n, count in enumerate(counts)
        if count
    ]
    ends = [
        svg.text(left, high + 12, "0", FAINT, size=10),
        svg.text(left + wide, high + 12, "1", FAINT, size=10, anchor="end"),
    ]
    return [*bars, svg.line([(left, high), (left + wide, high)], FAINT), *ends]


def _axis(about: dict[str, Any]) -> list[str]:
    """Round seconds below everything."""
    length_s = about["steps"] * about["step_s"]
    tick = next((t for t in TICKS_S if length_s / t <= 12), TICKS_S[-1])
    marks = [n * tick for n in range(int(length_s / tick) + 1)]
    parts = [svg.line([(0, 0), (WIDE, 0)], FAINT)]
    for mark in marks:
        x = WIDE * mark / length_s
        parts += [svg.line([(x, 0), (x, 4)], FAINT), svg.text(x, 17, f"{mark:g} s", FAINT, size=10, anchor="middle")]
    return parts
