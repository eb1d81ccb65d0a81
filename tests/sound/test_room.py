import numpy as np
import pytest

from gatedtui.sound.room import TAIL_S, WET_DB, add_room, response


def test_a_click_is_answered_by_the_rooms_response():
    sound = np.zeros((2, 44_100), np.float32)
    sound[:, 100] = 1.0
    add_room(sound, 44_100)
    taps = round(TAIL_S * 44_100)
    assert sound[0, 100] == pytest.approx(1.0, abs=1e-6)
    assert np.allclose(sound[:, 101 : 100 + taps], response(44_100)[:, 1:], atol=1e-6)
    assert np.abs(sound[:, 100 + taps :]).max() < 1e-6


@pytest.mark.parametrize("samples", [1000, 65_536 - 22_050, 200_000, 500_000])
def test_the_blocks_join_without_a_seam(samples):
    chance = np.random.default_rng(0)
    sound = chance.normal(size=(2, samples)).astype(np.float32)
    wet = sound.copy()
    add_room(wet, 44_100)
    middle = 0.5 * sound.sum(axis=0)
    size = 1 << (samples + 22_050).bit_length()
    for side in (0, 1):
        echo = np.fft.irfft(np.fft.rfft(middle, size) * np.fft.rfft(response(44_100)[side], size))[:samples]
        assert np.abs(wet[side] - sound[side] - echo).max() < 1e-4


@pytest.mark.parametrize("rate_hz", [8000, 44_100, 192_000])
def test_the_room_is_quiet_dies_away_and_differs_between_the_ears(rate_hz):
    left, right = response(rate_hz)
    energy = np.cumsum(left[::-1] ** 2)[::-1]
    assert energy[0] == pytest.approx(10 ** (WET_DB / 10))
    early, late = (int(share * len(left)) for share in (0.2, 0.8))
    assert energy[late] < 1e-3 * energy[early]
    assert not left[: int(0.008 * rate_hz)].any()
    assert abs(np.corrcoef(left, right)[0, 1]) < 0.1
    assert left[-1] == pytest.approx(0, abs=1e-6)
