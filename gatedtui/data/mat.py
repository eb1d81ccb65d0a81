"""Reading the piano rolls' MATLAB files: nothing but lists of 0/1 matrices, and nothing else is understood.

scipy.io.loadmat reads far more, and trusts what it reads (1.17.1): 8,000 cells inside each other, 384 kB, end the
process by a segmentation fault; a header of 192 bytes asks for 8 GiB; 0.8 MB unpack to 2.6 GB. Here every size is
checked against the bytes that are there, unpacking stops at a bound, and cells do not nest.

Source of the format: The MathWorks, MAT-File Format, "Level 5 MAT-Files".
"""

import math
import struct
import zlib
from collections.abc import Iterator

import numpy as np

from gatedtui.data.broken import Broken
from gatedtui.data.grid import PITCHES

MAX_BYTES = 8 << 20
"""Largest file that is read; MuseData's has 0.9 MiB."""
MAX_UNPACKED = 128 << 20
"""Most that a file may unpack to; MuseData's takes 33 MiB."""
MAX_CELLS = 10_000
"""Most matrices in a list; Nottingham's longest has 694."""

_UINT8, _INT8, _INT32, _UINT32, _MATRIX, _COMPRESSED = 2, 1, 5, 6, 14, 15
_CELL_CLASS = 1
_NUMBERS = (6, 9)
"""The classes double, whose numbers MATLAB writes as bytes where they fit (as in the published files), and uint8."""
_PLACES = {"traindata": "train", "validdata": "valid", "testdata": "test"}


def rolls(content: bytes) -> dict[str, tuple[np.ndarray, ...]]:
    """The rolls in a MAT file that holds the cell arrays `traindata`, `validdata` and `testdata`.

    Args:
        content: the whole file, not trusted.

    Returns:
        Under "train", "valid" and "test" the rolls, (T, 88) uint8 of 0 and 1, T >= 1.

    Raises:
        Broken: the file holds anything else, or is larger or unpacks to more than the bounds above.
    """
    if len(content) > MAX_BYTES:
        raise Broken(f"is larger than {MAX_BYTES >> 20} MiB")
    if len(content) < 128 or content[124:128] != b"\x00\x01IM":
        raise Broken("is not a MATLAB 5 file")
    found: dict[str, tuple[np.ndarray, ...]] = {}
    left = MAX_UNPACKED
    for kind, data in _elements(memoryview(content)[128:]):
        if kind == _COMPRESSED:
            data = memoryview(_unpacked(data, left))
            left -= len(data)
            ((kind, data),) = _exactly(1, _elements(data), "holds a packed part that is not one variable")
        if kind != _MATRIX:
            raise Broken(f"holds an element of type {kind} where a variable should be")
        name, pieces = _variable(data)
        if name in found:
            raise Broken(f"holds '{name}' twice")
        found[name] = pieces
    if missing := _PLACES.keys() - found.keys():
        raise Broken(f"does not hold '{min(missing)}'")
    return {_PLACES[name]: found[name] for name in _PLACES}


def _unpacked(data: memoryview, limit: int) -> bytes:
    stream = zlib.decompressobj()
    try:
        content = stream.decompress(data, limit + 1)
    except zlib.error as error:
        raise Broken("holds a part that cannot be unpacked") from error
    if len(content) > limit:
        raise Broken(f"unpacks to more than {MAX_UNPACKED >> 20} MiB")
    if not stream.eof:
        raise Broken("ends inside a packed part")
    return content


def _elements(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """The data elements one after the other: the type of each, and its bytes."""
    at = 0
    while at < len(data):
        if len(data) < at + 8:
            raise Broken("ends inside the head of an element")
        kind, size = struct.unpack_from("<II", data, at)
        if kind >> 16:  # up to four bytes are put into the head itself
            kind, size, start, following = kind & 0xFFFF, kind >> 16, at + 4, at + 8
            if size > 4:
                raise Broken(f"holds a short element of {size} bytes")
        else:
            start = at + 8
            # What is packed is not filled up to eight bytes, everything else is.
            following = start + (size if kind == _COMPRESSED else -(-size // 8) * 8)
        if len(data) < start + size:
            raise Broken(f"promises {size:,} bytes and holds {len(data) - start:,}")
        yield kind, data[start : start + size]
        at = following


def _exactly(
    count: int, elements: Iterator[tuple[int, memoryview]], complaint: str
) -> tuple[tuple[int, memoryview], ...]:
    """The next `count` elements, which must be all that are left."""
    found = []
    for element in elements:
        found.append(element)
        if len(found) > count:
            raise Broken(complaint)
    if len(found) < count:
        raise Broken(complaint)
    return tuple(found)


def _header(elements: Iterator[tuple[int, memoryview]]) -> tuple[int, tuple[int, int], str]:
    """Class, dimensions and name of a matrix, whose first three elements are taken."""
    (flags, a), (sizes, b), (text, c) = (next(elements, (0, memoryview(b""))) for _ in range(3))
    if (flags, len(a), sizes, text) != (_UINT32, 8, _INT32, _INT8):
        raise Broken("holds a variable without a proper head")
    word = struct.unpack_from("<I", a)[0]
    if word & 0x0800:
        raise Broken("holds complex numbers")
    if len(b) != 8:
        raise Broken(f"holds an array of {len(b) // 4} dimensions")
    rows, columns = struct.unpack("<ii", b)
    if rows < 0 or columns < 0:
        raise Broken(f"holds an array of {rows} x {columns}")
    return word & 0xFF, (rows, columns), bytes(c).decode("ascii", "replace")


def _variable(data: memoryview) -> tuple[str, tuple[np.ndarray, ...]]:
    elements = _elements(data)
    kind, shape, name = _header(elements)
    if name not in _PLACES:
        raise Broken(f"holds the variable {name[:40]!a}, which is none of {', '.join(_PLACES)}")
    if kind != _CELL_CLASS:
        raise Broken(f"holds '{name}' as an array of class {kind}, not as a list of rolls")
    count = math.prod(shape)
    if count > MAX_CELLS or 1 not in shape:
        raise Broken(f"states {shape[0]} x {shape[1]} rolls in '{name}'")
    cells = _exactly(count, elements, f"does not hold the {count} rolls in '{name}' that it states")
    return name, tuple(_roll(kind, cell) for kind, cell in cells)


def _roll(kind: int, data: memoryview) -> np.ndarray:
    if kind != _MATRIX:
        raise Broken(f"holds an element of type {kind} where a roll should be")
    elements = _elements(data)
    kind, (steps, pitches), _ = _header(elements)
    if kind not in _NUMBERS:
        raise Broken(f"holds a roll of class {kind}, not of numbers")
    if pitches != PITCHES or steps < 1:
        raise Broken(f"holds a roll of {steps} x {pitches}, not of steps x {PITCHES}")
    ((kind, values),) = _exactly(1, elements, "holds a roll that is not one array")
    if kind != _UINT8 or len(values) != steps * pitches:
        raise Broken(f"holds a roll of {steps} x {pitches} with {len(values):,} values of type {kind}")
    roll = np.frombuffer(values, np.uint8).reshape((steps, pitches), order="F")
    if roll.max() > 1:
        raise Broken(f"holds the value {roll.max()} in a roll, where only 0 and 1 may be")
    return np.ascontiguousarray(roll)
