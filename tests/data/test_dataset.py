import errno
import hashlib
import json
import pickle
from dataclasses import replace

import numpy as np
import pytest

from gatedtui.data import dataset
from gatedtui.data.dataset import SPLITS
from gatedtui.errors import BadArgument, BadSource


def music(seed=0, lengths=((9, 1, 30), (4,), ()), **options):
    generator = np.random.default_rng(seed)
    splits = {
        split: tuple((generator.random((length, 88)) < 0.1).astype(np.uint8) for length in lengths[i])
        for i, split in enumerate(SPLITS)
    }
    titles = {split: tuple(f"{split} {i} ♪" for i in range(len(splits[split]))) for split in SPLITS}
    return dataset.build("song", "music", splits, titles, **{"steps_per_quarter": 4, "notes": ("a", "b"), **options})


def speech(lengths=((500, 8000), (29, 30), (47,))):
    generator = np.random.default_rng(1)
    splits = {
        split: tuple(generator.normal(size=length).astype(np.float32) for length in lengths[i])
        for i, split in enumerate(SPLITS)
    }
    titles = {split: tuple(str(i) for i in range(len(splits[split]))) for split in SPLITS}
    return dataset.build("talk", "speech", splits, titles, rate_hz=8000, scale=0.1, window=8000, stamp="ab")


def same(one, other):
    for split in SPLITS:
        assert len(one.splits[split]) == len(other.splits[split])
        for a, b in zip(one.splits[split], other.splits[split], strict=True):
            assert a.dtype == b.dtype and np.array_equal(a, b)
    labels = ["name", "kind", "digest", "titles", "steps_per_quarter", "rate_hz", "scale", "notes", "window", "stamp"]
    assert [getattr(one, label) for label in labels] == [getattr(other, label) for label in labels]


@pytest.mark.parametrize("made", [music, speech])
def test_what_is_saved_is_loaded_again(tmp_path, made):
    dataset.save(made(), tmp_path / "set.npz")
    same(dataset.load(tmp_path / "set.npz"), made())
    assert [path.name for path in tmp_path.iterdir()] == ["set.npz"]


def test_sizes_of_frames_follow_the_kind():
    assert (music().inputs, music().outputs) == (88, 88)
    assert (speech().inputs, speech().outputs) == (20, 10)


def test_the_digest_is_of_the_content_and_nothing_else():
    one = music()
    assert one.digest == music().digest
    assert replace(one, name="other").digest == one.digest
    assert music(notes=()).digest == one.digest
    assert music(steps_per_quarter=2).digest != one.digest
    assert music(seed=1).digest != one.digest
    assert music(lengths=((9, 1), (4, 30), ())).digest != one.digest
    one.splits["train"][0][3, 40] ^= 1
    assert dataset.content_digest("music", one.splits, steps_per_quarter=4, rate_hz=0, scale=1.0) != one.digest


def test_the_digest_is_that_of_a_line_of_json_and_the_packed_bits():
    roll = np.zeros((3, 88), np.uint8)
    roll[0, 0] = roll[1, 39] = roll[2, 87] = 1
    splits = {"train": (roll,), "valid": (roll[:1],), "test": (roll[1:],)}
    head = (
        b'{"kind": "music", "lengths": [[3], [1], [2]], "rate_hz": 0, '
        b'"scale": "0x1.0000000000000p+0", "steps_per_quarter": 4}\n'
    )
    first, second, third = b"\x80" + bytes(10), bytes(4) + b"\x01" + bytes(6), bytes(10) + b"\x01"
    want = hashlib.sha256(head + first + second + third + first + second + third).hexdigest()
    assert dataset.content_digest("music", splits, steps_per_quarter=4, rate_hz=0, scale=1.0) == want


def pickled(path):
    with path.open("wb") as file:
        np.savez(file, labels=np.array([{"a": 1}, Trap()], dtype=object), allow_pickle=True)


class Trap:
    """Fails the test when it is unpickled."""

    def __reduce__(self):
        return (pytest.fail, ("a pickle was loaded",))


def cut(path):
    dataset.save(music(), path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def one_bit(path):
    dataset.save(music(), path)
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 4
    path.write_bytes(content)


def relabelled(path):
    dataset.save(replace(music(), digest="0" * 64), path)


def other_archive(path):
    with path.open("wb") as file:
        np.savez(file, weights=np.zeros(3))


def wrong_sizes(path):
    dataset.save(replace(music(), titles=dict.fromkeys(SPLITS, ())), path)


def future(path):
    with path.open("wb") as file:
        np.savez(file, labels=np.frombuffer(json.dumps({"format": 99}).encode(), np.uint8))


def plain_pickle(path):
    path.write_bytes(pickle.dumps([Trap()]))


def empty(path):
    path.write_bytes(b"")


def folder(path):
    path.mkdir()


DAMAGES = [pickled, cut, one_bit, relabelled, other_archive, wrong_sizes, future, plain_pickle, empty, folder]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_file_that_is_not_whole_is_refused_in_one_sentence(tmp_path, damage):
    path = tmp_path / "set.npz"
    damage(path)
    with pytest.raises(BadSource, match=r"set\.npz' is damaged: \S") as caught:
        dataset.load(path)
    assert "gated data fetch" in caught.value.hint


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(BadSource, match=r"There is no prepared data file '.*none\.npz'"):
        dataset.load(tmp_path / "none.npz")


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing_behind(tmp_path, monkeypatch):
    path = tmp_path / "set.npz"
    dataset.save(music(), path)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(dataset.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        dataset.save(music(seed=5), path)
    same(dataset.load(path), music())
    assert [file.name for file in tmp_path.iterdir()] == ["set.npz"]


def test_music_is_told_the_next_frame_and_pieces_of_one_frame_have_no_pair():
    data = music()
    made = dataset.pairs(data, "train")
    assert len(made) == 2
    for (x, y), roll in zip(made, [data.splits["train"][0], data.splits["train"][2]], strict=True):
        assert x.dtype == y.dtype == np.float32
        assert np.array_equal(x, roll[:-1]) and np.array_equal(y, roll[1:])
    assert dataset.pairs(data, "test") == []


def test_speech_is_told_the_next_ten_samples_given_the_last_twenty():
    data = speech()
    made = dataset.pairs(data, "train") + dataset.pairs(data, "valid") + dataset.pairs(data, "test")
    waves = [*data.splits["train"], data.splits["valid"][1], data.splits["test"][0]]
    assert [len(x) for x, _ in made] == [48, 798, 1, 2]
    for (x, y), wave in zip(made, waves, strict=True):
        assert x.dtype == y.dtype == np.float32
        assert y.shape == (len(x), 10) and x.shape == (len(x), 20)
        for t in range(len(x)):
            assert np.array_equal(x[t], wave[10 * t : 10 * t + 20])
            assert np.array_equal(y[t], wave[10 * t + 20 : 10 * t + 30])


@pytest.mark.parametrize("window", [2, 3, 7, 29, 30, 31])
def test_windows_of_music_tell_every_frame_but_the_first_once(window):
    data = music()
    made = dataset.pairs(data, "train", window=window)
    assert max(len(x) + 1 for x, _ in made) <= window
    told = [frame for _, y in made for frame in y.tolist()]
    assert told == [frame for _, y in dataset.pairs(data, "train") for frame in y.tolist()]
    for x, y in made:
        assert len(x) == len(y) and np.array_equal(x[1:], y[:-1])


@pytest.mark.parametrize("window", [30, 39, 40, 500, 7999, 8000])
def test_windows_of_speech_tell_every_frame_once_from_the_twenty_samples_before_it(window):
    data = speech()
    made = dataset.pairs(data, "train", window=window)
    whole = dataset.pairs(replace(data, window=0), "train")
    assert max(10 * len(x) + 20 for x, _ in made) <= window
    for i in (0, 1):
        assert np.array_equal(np.concatenate([pair[i] for pair in made]), np.concatenate([pair[i] for pair in whole]))


def test_a_set_has_a_window_of_its_own_unless_another_is_asked_for():
    data = replace(speech(), window=100)
    assert len(dataset.pairs(data, "train")) == len(dataset.pairs(data, "train", window=100)) > 80
    assert len(dataset.pairs(data, "train", window=10_000)) == 2
    assert dataset.pairs(data, "test")[0][0].shape == (2, 20)


def test_a_window_too_short_for_a_frame_is_refused():
    for data, shortest in ((music(), 2), (speech(), 30)):
        with pytest.raises(BadArgument, match=f"data.window='{shortest - 1}' is too short") as caught:
            dataset.pairs(data, "train", window=shortest - 1)
        assert f"Give {shortest} " in caught.value.hint


def test_a_file_of_an_older_version_has_no_window_and_no_stamp(tmp_path):
    dataset.save(speech(), tmp_path / "set.npz")
    with np.load(tmp_path / "set.npz") as stored:
        arrays = dict(stored)
    labels = json.loads(arrays["labels"].tobytes())
    del labels["window"], labels["stamp"]
    arrays["labels"] = np.frombuffer(json.dumps(labels).encode(), np.uint8)
    with (tmp_path / "set.npz").open("wb") as file:
        np.savez(file, **arrays)
    found = dataset.load(tmp_path / "set.npz")
    assert (found.window, found.stamp, found.digest) == (0, "", speech().digest)
