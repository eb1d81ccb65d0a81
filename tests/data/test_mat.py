import io
import struct
import zlib

import numpy as np
import pytest

from gatedtui.data import mat
from gatedtui.data.broken import Broken

KEYS = ("traindata", "validdata", "testdata")


def some_rolls(seed=0, lengths=((5, 1, 30), (2,), (7, 3))):
    generator = np.random.default_rng(seed)
    return {
        key: [(generator.random((length, 88)) < 0.1).astype(np.uint8) for length in lengths[i]]
        for i, key in enumerate(KEYS)
    }


def saved(contents, **options):
    """The bytes SciPy writes for lists of arrays."""
    from scipy.io import savemat

    cells = {}
    for key, arrays in contents.items():
        cells[key] = np.empty((1, len(arrays)), object)
        for i, array in enumerate(arrays):
            cells[key][0, i] = array
    file = io.BytesIO()
    savemat(file, cells, **options)
    return file.getvalue()


def element(kind, data):
    return struct.pack("<II", kind, len(data)) + data + bytes(-len(data) % 8)


def matrix(kind, shape, name=b"", body=b"", flags=0):
    head = element(6, struct.pack("<II", kind | flags, 0)) + element(5, struct.pack(f"<{len(shape)}i", *shape))
    return element(14, head + element(1, name) + body)


def packed(data):
    content = zlib.compress(data, 9)
    return struct.pack("<II", 15, len(content)) + content


HEAD = b"MATLAB 5.0 MAT-file".ljust(116) + bytes(8) + b"\x00\x01IM"


def roll(shape=(3, 88), kind=6, stored=2, values=None, flags=0):
    """A matrix as in the published files: of class double, stored as bytes."""
    values = bytes(shape[0] * shape[1]) if values is None else values
    return matrix(kind, shape, body=element(stored, values), flags=flags)


def cell(name, *members, shape=None):
    return matrix(1, shape or (1, len(members)), name, b"".join(members))


def whole(train=None):
    """A file with one roll in each list, or with `train` in place of the first list."""
    return HEAD + (train or cell(b"traindata", roll())) + cell(b"validdata", roll()) + cell(b"testdata", roll())


@pytest.mark.parametrize("compressed", [False, True])
def test_the_rolls_are_those_that_were_written(compressed):
    contents = some_rolls()
    found = mat.rolls(saved(contents, do_compression=compressed))
    assert list(found) == ["train", "valid", "test"]
    for key, pieces in zip(KEYS, found.values(), strict=True):
        assert len(pieces) == len(contents[key])
        for piece, want in zip(pieces, contents[key], strict=True):
            assert piece.dtype == np.uint8 and piece.flags.c_contiguous
            assert np.array_equal(piece, want)


def test_doubles_stored_as_bytes_are_read_as_in_the_published_files():
    values = np.zeros((2, 88), np.uint8)
    values[1, 5] = 1
    content = whole(cell(b"traindata", roll((2, 88), values=values.tobytes("F"))))
    assert np.array_equal(mat.rolls(content)["train"][0], values)


HOSTILE = [
    (b"", "not a MATLAB 5 file"),
    (b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM", "not a MATLAB 5 file"),
    (b"MATLAB 5.0 MAT-file".ljust(124) + b"\x01\x00MI", "not a MATLAB 5 file"),
    (HEAD, "does not hold 'testdata'"),
    (whole()[:-3], "promises"),
    (whole() + b"\x0e\x00", "inside the head"),
    (HEAD + cell(b"other", roll()), "the variable 'other'"),
    (HEAD + cell(b"\x1b[31m", roll()), r"'\\x1b\[31m'"),
    (whole(cell(b"validdata", roll())), "'validdata' twice"),
    (whole(matrix(6, (1, 1), b"traindata", element(2, b"\x01"))), "class 6, not as a list"),
    (whole(matrix(2, (1, 1), b"traindata", b"")), "class 2, not as a list"),
    (whole(cell(b"traindata", shape=(1, 2**30))), "1 x 1073741824 rolls"),
    (whole(cell(b"traindata", shape=(-1, -5))), "-1 x -5"),
    (whole(cell(b"traindata", roll(), shape=(1, 2))), "does not hold the 2 rolls"),
    (whole(cell(b"traindata", roll(), roll(), shape=(1, 1))), "does not hold the 1 rolls"),
    (whole(cell(b"traindata", cell(b"", roll()))), "class 1, not of numbers"),
    (whole(cell(b"traindata", roll(kind=4))), "class 4, not of numbers"),
    (whole(cell(b"traindata", roll(kind=3))), "class 3, not of numbers"),
    (whole(cell(b"traindata", roll((3, 87)))), "3 x 87"),
    (whole(cell(b"traindata", roll((0, 88)))), "0 x 88"),
    (whole(cell(b"traindata", roll((-3, 88), values=b""))), "-3 x 88"),
    (whole(cell(b"traindata", roll((2**31 - 1, 88), values=b"\x00"))), "2147483647 x 88 with 1 values"),
    (whole(cell(b"traindata", roll((3, 88, 1), values=b""))), "3 dimensions"),
    (whole(cell(b"traindata", roll(stored=9, values=bytes(3 * 88 * 8)))), "values of type 9"),
    (whole(cell(b"traindata", roll(flags=0x0800))), "complex"),
    (whole(cell(b"traindata", roll(values=b"\x02" + bytes(3 * 88 - 1)))), "the value 2"),
    (whole(cell(b"traindata", element(2, b"\x01"))), "type 2 where a roll"),
    (HEAD + element(2, b"\x01"), "type 2 where a variable"),
    (HEAD + packed(element(2, b"\x01")), "type 2 where a variable"),
    (HEAD + struct.pack("<II", 15, 4) + b"nope", "cannot be unpacked"),
    (HEAD + packed(cell(b"traindata", roll()) * 2), "not one variable"),
    (HEAD + packed(packed(cell(b"traindata", roll()))), "type 15 where a variable"),
    (HEAD + struct.pack("<II", 1 | 5 << 16, 0), "short element of 5 bytes"),
]


@pytest.mark.parametrize(("content", "reason"), HOSTILE)
def test_whatever_is_not_a_list_of_rolls_is_refused_in_words(content, reason):
    with pytest.raises(Broken, match=reason):
        mat.rolls(content)


def test_a_file_that_unpacks_without_end_is_refused_before_it_fills_the_memory(monkeypatch):
    monkeypatch.setattr(mat, "MAX_UNPACKED", 2 << 20)
    with pytest.raises(Broken, match="unpacks to more than 2 MiB"):
        mat.rolls(HEAD + packed(bytes(20 << 20)))
    small = packed(cell(b"traindata", roll((20_000, 88))))
    assert len(small) < 10_000
    with pytest.raises(Broken, match="unpacks to more than 2 MiB"):
        mat.rolls(HEAD + small + packed(cell(b"validdata", roll((20_000, 88)))))
    with pytest.raises(Broken, match="larger than 8 MiB"):
        mat.rolls(bytes(mat.MAX_BYTES + 1))


def test_cells_inside_each_other_are_refused_where_scipy_would_overflow_its_stack():
    inner = roll((1, 88))
    for _ in range(3000):
        inner = matrix(1, (1, 1), b"", inner)
    with pytest.raises(Broken, match="class 1, not of numbers"):
        mat.rolls(HEAD + cell(b"traindata", inner))


def test_damaged_files_are_refused_or_read_but_never_crash():
    generator = np.random.default_rng(3)
    good = [saved(some_rolls(), do_compression=compressed) for compressed in (False, True)]
    refused = 0
    for trial in range(400):
        bad = bytearray(good[trial % 2][: int(generator.integers(1, len(good[trial % 2]) + 1))])
        for place in generator.integers(0, len(bad), 3):
            bad[place] = generator.integers(0, 256)
        try:
            mat.rolls(bytes(bad))
        except Broken:
            refused += 1
    assert refused > 300


def test_the_published_files_are_read_as_scipy_reads_them(published):
    from scipy.io import loadmat

    for name in ("JSB_Chorales.mat", "Piano_midi.mat"):
        theirs, ours = loadmat(published / name), mat.rolls((published / name).read_bytes())
        for key, pieces in zip(KEYS, ours.values(), strict=True):
            assert len(pieces) == theirs[key].size
            for piece, want in zip(pieces, theirs[key].ravel(), strict=True):
                assert np.array_equal(piece, want)
