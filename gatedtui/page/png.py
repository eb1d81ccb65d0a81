"""Pictures of few colours as PNG files, for spectrograms: a hundred times smaller than the same cells as SVG.

Source: Portable Network Graphics, second edition (ISO/IEC 15948:2003), sections 7, 9 and 11.
"""

import base64
import struct
import zlib

import numpy as np

SHADES = 16
"""Four bits a pixel."""


def shades(levels: np.ndarray, colour: str) -> bytes:
    """A PNG of one colour, more or less opaque, so that it stands on light and on dark ground.

    Args:
        levels: (height, width) integers 0..15, top row first: 0 is transparent, 15 opaque.
        colour: `#rrggbb`.

    Raises:
        ValueError: another shape, or levels out of range.
    """
    if levels.ndim != 2 or not levels.size or levels.min() < 0 or levels.max() >= SHADES:
        raise ValueError(f"levels are (height, width) integers 0..{SHADES - 1}, not {levels.shape}")
    height, width = levels.shape
    pairs = np.zeros((height, -(-width // 2) * 2), np.uint8)
    pairs[:, :width] = levels
    rows = np.zeros((height, 1 + pairs.shape[1] // 2), np.uint8)  # each row begins with its filter, 0 = none
    rows[:, 1:] = pairs[:, ::2] << 4 | pairs[:, 1::2]
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    header = struct.pack(">IIBBBBB", width, height, 4, 3, 0, 0, 0)  # 4 bits, a palette
    opacity = bytes(round(255 * number / (SHADES - 1)) for number in range(SHADES))
    chunks = [
        _chunk(b"IHDR", header),
        _chunk(b"PLTE", bytes((red, green, blue)) * SHADES),
        _chunk(b"tRNS", opacity),
        _chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)),
        _chunk(b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def uri(content: bytes | memoryview, kind: str) -> str:
    """The bytes as a `data:` URI of a media type such as `image/png`."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
