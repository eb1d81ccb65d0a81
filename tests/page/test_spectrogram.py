import numpy as np
import pytest

from gatedtui.page.spectrogram import COLUMNS, LOWEST_HZ, ROWS, levels

RATE = 16_000
TIME_S = np.arange(2 * RATE) / RATE


def row_of(hz, highest_hz):
    return ROWS - 1 - int(ROWS * np.log(hz / LOWEST_HZ) / np.log(highest_hz / LOWEST_HZ))


@pytest.mark.parametrize("hz", [440.0, 1500.0])
def test_a_tone_is_where_its_pitch_is(hz):
    found = levels(np.sin(2 * np.pi * hz * TIME_S), RATE, highest_hz=4000.0)
    assert found.shape == (ROWS, COLUMNS)
    strongest = np.argmax(found[:, COLUMNS // 2].astype(int))
    assert abs(strongest - row_of(hz, 4000.0)) <= 2
    assert found[ROWS // 2 + 20 :, COLUMNS // 2].min() < 15


def test_a_sound_is_when_it_is():
    found = levels(np.sin(2 * np.pi * 1000 * TIME_S) * (TIME_S > 1.0), RATE, highest_hz=4000.0)
    assert not found[:, : COLUMNS // 2 - 20].any()
    assert found[:, COLUMNS // 2 + 20 :].max() == 15


def test_levels_are_of_the_loudest_of_all_clips_and_silence_is_blank():
    tone = np.sin(2 * np.pi * 1000 * TIME_S)
    assert levels(tone, RATE, highest_hz=4000.0, loudest=1e6).max() < levels(tone, RATE, highest_hz=4000.0).max()
    assert not levels(np.zeros(100), RATE, highest_hz=4000.0).any()
