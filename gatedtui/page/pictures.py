"""What is drawn of a clip: roll, waveform and spectrogram over one time axis, and that axis."""

from collections.abc import Sequence

import numpy as np

from gatedtui.listen.items import Item
from gatedtui.page import axes, looks, spectrogram
from gatedtui.page.html import Markup, join, tag
from gatedtui.page.png import shades, uri
from gatedtui.sound.held import held_notes

WAVE_COLUMNS = 480
HIGHEST_HZ = {"music": 6000.0, "speech": 4000.0, "audio": 8000.0}
"""The top of a spectrogram: a piano's partials above are faint, and speech-a has 8,000 samples a second."""
NAMES = {"roll": "Piano roll", "wave": "Waveform", "spectrogram": "Spectrogram"}


def views(items: Sequence[Item]) -> list[str]:
    """The pictures that all of the clips have."""
    return ["roll", "wave", "spectrogram"] if all(item.roll is not None for item in items) else ["wave", "spectrogram"]


def drawn(items: Sequence[Item]) -> list[Markup]:
    """The pictures of each clip, all on the same scales; all but the first of a clip are hidden.

    Args:
        items: matched, hence of one length and one rate; at least one.
    """
    shown = views(items)
    low, high = _pitches(items)
    loudest = max(float(np.abs(item.samples).max()) for item in items) or 1.0
    top_hz = max(HIGHEST_HZ[item.content] for item in items)
    strongest = [
        float(spectrogram.magnitudes(_mono(item), item.rate_hz, highest_hz=top_hz).max(initial=0.0)) for item in items
    ]
    made = []
    for item in items:
        parts = {
            "roll": lambda item=item: _roll(item, low, high),
            "wave": lambda item=item: _wave(item, loudest),
            "spectrogram": lambda item=item: _spectrogram(item, top_hz, max(strongest)),
        }
        pictures = [
            tag("div", parts[name](), class_=f"view {name}", data_view=name, hidden=name != shown[0]) for name in shown
        ]
        made.append(join(*pictures))
    return made


def primer(item: Item) -> Markup:
    """The part that was given and not drawn, as a shaded stretch with an edge."""
    if not item.primer_s:
        return Markup("")
    share = f"{100 * item.primer_s / item.duration_s:.3f}%"
    shade = tag("rect", width=share, height="100%", class_="shade")
    edge = tag("line", x1=share, x2=share, y1="0", y2="100%", class_="edge")
    return tag("svg", shade, edge, class_="primer", aria_hidden="true")


def axis(duration_s: float) -> Markup:
    """The time axis below all pictures."""
    parts = []
    marks = axes.time_ticks(0.0, duration_s, 8)
    for mark, text in zip(marks, axes.clocks(marks), strict=True):
        x = f"{100 * mark / duration_s:.3f}%"
        anchor = "start" if mark == 0 else "middle"
        parts.append(tag("line", x1=x, x2=x, y1="0", y2="5"))
        parts.append(tag("text", text, x=x, y="18", text_anchor=anchor))
    return tag("svg", *parts, class_="axis", aria_hidden="true")


def _pitches(items: Sequence[Item]) -> tuple[int, int]:
    """The lowest and the highest MIDI pitch of all rolls, with a row to spare on either side."""
    notes = [held_notes(item.roll)[:, 2] for item in items if item.roll is not None]
    sounding = np.concatenate(notes) if notes else np.zeros(0, np.int64)
    return (int(sounding.min()) - 1, int(sounding.max()) + 1) if len(sounding) else (59, 61)


def _roll(item: Item, low: int, high: int) -> Markup:
    assert item.roll is not None
    primed = round(item.primer_s / item.step_s)
    given, own = [], []
    for first, end, pitch in held_notes(item.roll).tolist():
        y = high - pitch
        if first < primed:
            given.append(_bar(first, min(end, primed), y))
        if end > primed:
            own.append(_bar(max(first, primed), end, y))
    wide = item.duration_s / item.step_s
    octaves = [
        tag("line", x1="0", x2=f"{wide:.4g}", y1=f"{high - c + 1}", y2=f"{high - c + 1}", class_="octave")
        for c in range(low + 1, high + 1)
        if c % 12 == 0
    ]
    return tag(
        "svg",
        *octaves,
        tag("path", d="".join(given), class_="given"),
        tag("path", d="".join(own), class_="own"),
        viewBox=f"0 0 {wide:.4f} {high - low + 1}",
        preserveAspectRatio="none",
        role="img",
        aria_label=f"Piano roll of {item.label}",
    )


def _bar(first: int, end: int, y: int) -> str:
    # A sliver is left out at the end, so that notes that follow each other on neighbouring pitches stay apart; a third
    # more than a row in height, since a chorale's four octaves leave two pixels a row.
    return f"M{first} {y - 0.15:g}h{end - first - 0.06:g}v1.3h-{end - first - 0.06:g}z"


def _wave(item: Item, loudest: float) -> Markup:
    mono = _mono(item)
    parts = min(WAVE_COLUMNS, len(mono))
    edges = np.arange(parts) * len(mono) // parts
    high, low = np.maximum.reduceat(mono, edges), np.minimum.reduceat(mono, edges)
    up = [f"{x} {_y(value, loudest)}" for x, value in enumerate(high.tolist())]
    down = [f"{x} {_y(value, loudest)}" for x, value in reversed(list(enumerate(low.tolist())))]
    path = f"M{'L'.join([*up, *down])}z"
    return tag(
        "svg",
        tag("path", d=path, class_="own"),
        viewBox=f"0 0 {parts - 1} 200",
        preserveAspectRatio="none",
        role="img",
        aria_label=f"Waveform of {item.label}",
    )


def _y(value: float, loudest: float) -> int:
    return round(100 - 98 * value / loudest)


def _spectrogram(item: Item, top_hz: float, strongest: float) -> Markup:
    found = spectrogram.levels(_mono(item), item.rate_hz, highest_hz=top_hz, loudest=strongest)
    source = uri(shades(found, looks.hue(item)), "image/png")
    return tag("img", src=source, alt=f"Spectrogram of {item.label}, {spectrogram.LOWEST_HZ:.0f} to {top_hz:,.0f} Hz")


def _mono(item: Item) -> np.ndarray:
    return item.samples.mean(axis=1)
