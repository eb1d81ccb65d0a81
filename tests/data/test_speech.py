import math

import numpy as np
import pytest

from gatedtui.data import catalogue, dataset, digits, prepare, speech
from gatedtui.data.digits import Clip


def made_clips():
    """Two speakers, two digits, indices 0 to 49; each clip's samples tell it and their place apart."""
    generator = np.random.default_rng(0)
    clips = []
    for digit in (0, 1):
        for speaker in ("ann", "bob"):
            for index in range(50):
                samples = generator.integers(-9000, 9000, int(generator.integers(600, 2600))).astype(np.int16)
                clips.append(Clip(digit, speaker, index, samples))
    return sorted(clips, key=lambda clip: f"{clip.title}.wav")


@pytest.fixture
def small(monkeypatch):
    clips = made_clips()
    monkeypatch.setattr(digits, "clips", lambda **_: clips)
    monkeypatch.setattr(speech, "SIZES", {"speech-a": (100, 20, 20), "speech-b": (20, 2, 2)})
    return clips


def built(name):
    return speech.build(catalogue.CATALOGUE[name], cache=None, mirror=None, progress=None)


def where(window, data, clips):
    """The clips in which a window's samples stand one behind the other."""
    whole = np.rint(window * data.scale * 32768).astype(np.int16).tobytes()
    return [clip for clip in clips if whole in clip.samples.tobytes()]


def test_windows_lie_inside_clips_of_their_own_side_at_multiples_of_500(small):
    data = built("speech-a")
    assert (data.kind, data.rate_hz) == ("speech", 8000)
    assert [len(data.splits[split]) for split in dataset.SPLITS] == [100, 20, 20]
    for split in dataset.SPLITS:
        for title, window in zip(data.titles[split], data.splits[split], strict=True):
            assert window.shape == (500,) and window.dtype == np.float32
            (clip,) = where(window, data, small)
            assert clip.split == split
            name, first = title.rsplit(" ", 1)
            assert name == clip.title and int(first) % 500 == 0
        assert len(set(data.titles[split])) == len(data.titles[split])


def test_the_windows_are_those_a_plain_loop_finds(small):
    every = {}
    for clip in small:
        if clip.index >= 10:
            for k in range(len(clip.samples) // 500):
                every[f"{clip.title} {500 * k}"] = clip.samples[500 * k : 500 * k + 500]
    found = speech.inside([clip for clip in small if clip.split == "train"], 500)
    assert dict(found).keys() == every.keys()
    assert all(np.array_equal(samples, every[title]) for title, samples in found)


def test_longer_windows_come_from_one_speaker_joined_end_to_end_in_a_shuffled_order(small):
    train = [clip for clip in small if clip.split == "train"]
    windows = dict(speech.joined(train, 8000))
    for speaker in ("ann", "bob"):
        total = sum(len(clip.samples) for clip in train if clip.speaker == speaker)
        mine = [windows[f"{speaker} {number}"] for number in range(total // 8000)]
        assert f"{speaker} {total // 8000}" not in windows
        text = np.concatenate(mine).tobytes()
        inside = [clip for clip in train if clip.samples.tobytes() in text]
        assert len(inside) >= 0.8 * sum(clip.speaker == speaker for clip in train)
        assert {clip.speaker for clip in inside} == {speaker}
        order = sorted(inside, key=lambda clip: text.index(clip.samples.tobytes()))
        assert [clip.digit for clip in order] != sorted(clip.digit for clip in order)
    data = built("speech-b")
    assert [len(data.splits[split]) for split in dataset.SPLITS] == [20, 2, 2]
    assert {len(window) for windows in data.splits.values() for window in windows} == {8000}


def test_the_waveform_is_divided_by_the_training_samples_deviation(small):
    for name in ("speech-a", "speech-b"):
        data = built(name)
        train = np.concatenate(data.splits["train"]).astype(np.float64)
        assert train.std() == pytest.approx(1.0, abs=1e-6)
        assert train.max() * data.scale < 9000 / 32768 + 1e-6


def test_the_deviation_is_summed_without_rounding():
    pieces = [np.array([32767, -32768] * 500, np.int16), np.array([1, 2, 3], np.int16)]
    whole = np.concatenate(pieces).astype(np.float64)
    assert speech.deviation(pieces) == pytest.approx(whole.std(), rel=1e-12)
    assert speech.deviation([np.array([5, 5], np.int16)]) == 0.0
    assert speech.deviation([np.array([0, 2], np.int16)]) == math.sqrt(1.0)


def test_the_shuffle_hangs_on_the_seed_and_the_titles_alone():
    windows = [(f"w{i}", np.zeros(1)) for i in range(50)]
    order = [title for title, _ in speech.shuffled(windows, 1)]
    assert order == [title for title, _ in speech.shuffled(windows[::-1], 1)]
    assert order != [title for title, _ in speech.shuffled(windows, 2)] and sorted(order) != order


@pytest.mark.parametrize(
    ("name", "length", "sizes"), [("speech-a", 500, (7230, 800, 1200)), ("speech-b", 8000, (800, 100, 100))]
)
def test_the_published_recordings_give_the_papers_shapes(name, length, sizes, published, tmp_path):
    data = prepare.prepare(name, cache=tmp_path, mirror=str(published))
    assert tuple(len(data.splits[split]) for split in dataset.SPLITS) == sizes
    assert {len(window) for windows in data.splits.values() for window in windows} == {length}
    assert np.concatenate(data.splits["train"]).std(dtype=np.float64) == pytest.approx(1.0, abs=1e-6)
    assert not any("differs" in note for note in data.notes)
    steps = {x.shape for x, _ in dataset.pairs(data, "train")}
    assert steps == {(length // 10 - 2, 20)}
