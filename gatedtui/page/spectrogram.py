"""What is in a sound at which time and pitch, as levels for a picture."""

import numpy as np

from gatedtui.page.png import SHADES

COLUMNS, ROWS = 640, 96
LOWEST_HZ = 55.0
"""A1: below it pianos and voices have next to nothing."""
RANGE_DB = 60.0
"""From the loudest part of all clips down to what is left blank."""


def levels(samples: np.ndarray, rate_hz: int, *, highest_hz: float, loudest: float | None = None) -> np.ndarray:
    """Short-time spectra, one a column, on a logarithmic axis of frequency.

    Args:
        samples: (n,) one channel, n >= 1.
        rate_hz: samples a second.
        highest_hz: the top of the picture.
        loudest: the magnitude that is drawn opaque; None takes this sound's own.

    Returns:
        (ROWS, COLUMNS) uint8 in 0..15, the highest frequency first. A row holds the strongest bin that falls into it,
        or the nearest where none does.
    """
    found = magnitudes(samples, rate_hz, highest_hz=highest_hz)
    top = float(found.max()) if loudest is None else loudest
    with np.errstate(divide="ignore"):
        db = 20.0 * np.log10(found / (top or 1.0))
    return np.clip(np.rint((db / RANGE_DB + 1.0) * (SHADES - 1)), 0, SHADES - 1).astype(np.uint8)


def magnitudes(samples: np.ndarray, rate_hz: int, *, highest_hz: float) -> np.ndarray:
    """The same before levels: (ROWS, COLUMNS) float64."""
    size = 2 ** round(np.log2(0.046 * rate_hz))  # 46 ms: partials of a chord are 22 Hz apart and still told apart
    padded = np.pad(np.asarray(samples, np.float64), (size // 2, size))
    window = np.hanning(size)
    begins = np.arange(COLUMNS) * max(len(samples) - 1, 1) // COLUMNS
    spectra = np.empty((COLUMNS, size // 2 + 1))
    for column, begin in enumerate(begins):
        spectra[column] = np.abs(np.fft.rfft(padded[begin : begin + size] * window))
    edges = LOWEST_HZ * (highest_hz / LOWEST_HZ) ** (np.arange(ROWS + 1) / ROWS) * size / rate_hz
    rows = np.empty((ROWS, COLUMNS))
    for row in range(ROWS):
        low, high = (int(np.rint(edge)) for edge in edges[row : row + 2])
        rows[ROWS - 1 - row] = spectra[:, low : max(high, low + 1)].max(axis=1)
    return rows
