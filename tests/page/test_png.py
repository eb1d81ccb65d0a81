import struct
import zlib

import numpy as np
import pytest

from gatedtui.page.png import shades, uri


def opened(content):
    """Width, height, palette, opacities and levels of a picture of four bits a pixel."""
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    chunks, at = {}, 8
    while at < len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        name, inside = content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        assert struct.unpack(">I", content[at + 8 + length : at + 12 + length])[0] == zlib.crc32(name + inside)
        chunks[name] = inside
        at += 12 + length
    width, height, *form = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert form == [4, 3, 0, 0, 0]
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, -1)
    assert not rows[:, 0].any()
    levels = np.stack([rows[:, 1:] >> 4, rows[:, 1:] & 15], axis=2).reshape(height, -1)[:, :width]
    return chunks[b"PLTE"], chunks[b"tRNS"], levels


@pytest.mark.parametrize("shape", [(3, 5), (1, 1), (4, 8)])
def test_a_picture_holds_the_levels_it_was_given(shape):
    levels = np.random.default_rng(0).integers(0, 16, shape)
    palette, opacity, found = opened(shades(levels, "#35b779"))
    assert np.array_equal(found, levels)
    assert palette == bytes([0x35, 0xB7, 0x79]) * 16
    assert opacity == bytes(range(0, 256, 17))


@pytest.mark.parametrize("levels", [np.full((2, 2), 16), np.full((2, 2), -1), np.zeros(4, int), np.zeros((0, 3), int)])
def test_what_is_no_picture_is_refused(levels):
    with pytest.raises(ValueError, match=r"0\.\.15"):
        shades(levels, "#000000")


def test_a_uri_carries_the_bytes():
    assert uri(b"abc", "image/png") == "data:image/png;base64,YWJj"
