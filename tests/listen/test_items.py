import numpy as np
import pytest

from gatedtui.listen.items import Item, file_name, matched, unique, write_clips
from gatedtui.sound.loudness import CEILING, loudness, peak
from gatedtui.sound.piano import RATE_HZ
from gatedtui.sound.wav import read_stereo


def item(level=0.1, length_s=2.0, rate_hz=RATE_HZ, *, spikes=False, label="a"):
    time_s = np.arange(round(length_s * rate_hz)) / rate_hz
    mono = level * np.sin(2 * np.pi * 440 * time_s)
    if spikes:
        mono[:: rate_hz // 4] = 1.0
    return Item(label, "file", np.repeat(mono[:, None], 2, axis=1).astype(np.float32), rate_hz, "a file")


def test_matched_clips_have_one_rate_one_length_and_one_loudness():
    one, two, three = matched([item(0.5), item(0.001, 3.0), item(0.05, 1.0, 8000)])
    assert {clip.rate_hz for clip in (one, two, three)} == {RATE_HZ}
    assert len({clip.samples.shape for clip in (one, two, three)}) == 1
    assert one.duration_s == pytest.approx(3.0)
    for clip, length_s in ((one, 2.0), (two, 3.0), (three, 1.0)):
        own = clip.samples[: round(length_s * RATE_HZ)]
        assert loudness(own, RATE_HZ) == pytest.approx(-18.0, abs=0.5)
        assert not clip.samples[round(length_s * RATE_HZ) + 200 :].any()


def test_what_cannot_be_made_loud_enough_makes_all_quieter_and_is_never_squeezed():
    loud, spiky = item(0.5), item(0.01, spikes=True)
    one, two = matched([loud, spiky])
    levels = [loudness(clip.samples, RATE_HZ) for clip in (one, two)]
    assert levels[0] == pytest.approx(levels[1], abs=0.1)
    assert levels[0] < -18.5
    assert peak(two.samples) == pytest.approx(CEILING, abs=1e-3)
    ratio = two.samples[100:4000, 0] / spiky.samples[100:4000, 0]
    assert np.ptp(ratio[np.abs(spiky.samples[100:4000, 0]) > 1e-3]) < 1e-3


def test_silence_stays_silent_and_does_not_hold_the_others_back():
    one, silent = matched([item(0.5), item(0.0)])
    assert loudness(one.samples, RATE_HZ) == pytest.approx(-18.0, abs=0.1)
    assert not silent.samples.any()


def test_clips_are_written_under_names_that_are_safe(tmp_path):
    clips = [item(label='u <img src=x onerror=alert(1)> & "q"'), item(label="../../etc"), item(label="…")]
    paths = write_clips(clips, tmp_path)
    assert [path.name for path in paths] == ["1-u-img-src-x-onerror-alert-1-q.wav", "2-etc.wav", "3-clip.wav"]
    assert np.abs(read_stereo(paths[0])[0] - clips[0].samples).max() < 1e-4
    assert file_name("ä" * 100) == "ä" * 60


def test_equal_labels_get_numbers():
    assert unique(["a", "b", "a", "a"]) == ["a", "b", "a (2)", "a (3)"]
