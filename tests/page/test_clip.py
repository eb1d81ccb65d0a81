import base64
import io
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from gatedtui.page import clip
from gatedtui.sources import released


def decoded(one):
    head, _, text = one.audio.partition(",")
    assert head == "data:audio/mpeg;base64"
    return soundfile.read(io.BytesIO(base64.b64decode(text)))


def test_the_sound_is_the_clips_own(clips, songs):
    for one, item in zip(clips, songs, strict=True):
        sound, rate_hz = decoded(one)
        assert rate_hz == item.rate_hz
        assert len(sound) == len(item.samples)
        middle = slice(len(sound) // 4, len(sound) // 2)
        # LAME makes everything 5 % quieter, alike for all clips.
        assert np.std(sound[middle] / 0.95 - item.samples[middle, 0]) < 0.01 * np.std(item.samples[middle, 0])


def test_equal_clips_have_equal_bytes_and_size_tells_nothing(clips, songs):
    again = clip.clips(songs, [item.label for item in songs])
    assert [one.audio for one in again] == [one.audio for one in clips]
    assert len({len(one.audio) for one in clips}) == 1


@pytest.mark.parametrize(("length_s", "rate"), [(1.0, 128), (400.0, 64), (300.0, 80), (1e6, 64), (0.0, 128)])
def test_all_clips_together_fit_a_page(length_s, rate):
    assert clip.kbit_per_s(length_s) == rate
    assert rate == 64 or length_s * rate * 125 * 4 / 3 <= clip.BUDGET_BYTES


def test_two_channels_stay_two_and_equal_ones_become_one(songs):
    both = songs[0].samples.copy()
    both[:, 1] *= 0.5
    (one,) = clip.clips([replace(songs[0], samples=both)], ["jsb:3"])
    assert decoded(one)[0].shape[1] == 2
    (one,) = clip.clips(songs[:1], ["jsb:3"])
    assert decoded(one)[0].ndim == 1


def test_a_command_names_what_was_typed_and_a_file_to_write(songs):
    assert clip.command(songs[1], "my-run", "my-run · seed 2")[2:] == (
        *("my-run", "--seed", "1", "--out", "my-run-seed-2.mid"),
    )
    assert clip.command(songs[0], "jsb:3", "jsb:3") == ()
    path = released()["gru-bach"]
    typed = replace(songs[1], command=("gated", "sample", str(path)))
    assert clip.command(typed, "gru-bach", "x")[2] == clip.command(typed, str(path), "x")[2] == "gru-bach"
