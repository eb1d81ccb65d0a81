import math

import numpy as np
import pytest

from gatedtui.sound import loudness as module
from gatedtui.sound.loudness import CEILING, k_weighting, loudness, normalise, peak


def sine(hz, length_s, rate_hz, level=1.0):
    return level * np.sin(2 * np.pi * hz * np.arange(round(length_s * rate_hz)) / rate_hz)


def test_the_filter_is_the_recommendations_at_48_khz():
    # BS.1770-4, tables 1 and 2.
    b = np.convolve([1.53512485958697, -2.69169618940638, 1.19839281085285], [1.0, -2.0, 1.0])
    a = np.convolve([1.0, -1.69065929318241, 0.73248077421585], [1.0, -1.99004745483398, 0.99007225036621])
    ours_b, ours_a = k_weighting(48_000)
    assert np.abs(ours_b - b).max() < 1e-13
    assert np.abs(ours_a - a).max() < 1e-13


@pytest.mark.parametrize("rate_hz", [8000, 16_000, 44_100, 48_000, 96_000])
def test_a_full_sine_of_997_hz_on_one_channel_is_minus_three_lufs(rate_hz):
    assert loudness(sine(997, 5, rate_hz), rate_hz) == pytest.approx(-3.01, abs=0.05)
    both = np.repeat(sine(997, 5, rate_hz)[:, None], 2, axis=1)
    assert loudness(both, rate_hz) == pytest.approx(0.0, abs=0.05)


@pytest.mark.parametrize("rate_hz", [44_100, 48_000])
def test_it_agrees_with_a_well_kept_library(rate_hz):
    pyloudnorm = pytest.importorskip("pyloudnorm", reason="pyloudnorm is in the extra dev")
    meter = pyloudnorm.Meter(rate_hz)
    chance = np.random.default_rng(3)
    for trial in range(4):
        # Noise whose level moves by 40 dB, so that both gates are at work; with the ear's low and high ends in it.
        level = 10 ** (np.repeat(chance.uniform(-3, -1, 12), rate_hz // 2) / 1)
        noise = (chance.normal(size=(len(level), 2)) * level[:, None]).astype(np.float32)
        if trial % 2:
            noise = np.cumsum(noise, axis=0) * 0.01
        assert loudness(noise, rate_hz) == pytest.approx(meter.integrated_loudness(noise.astype(float)), abs=0.1)


def test_quiet_parts_do_not_count():
    loud, rate_hz = sine(1000, 4, 48_000, 0.1), 48_000
    alone = loudness(loud, rate_hz)
    assert loudness(np.concatenate([loud, np.zeros(20 * rate_hz)]), rate_hz) == pytest.approx(alone, abs=0.2)
    assert loudness(np.concatenate([loud, 0.01 * loud]), rate_hz) == pytest.approx(alone, abs=0.2)
    assert loudness(np.concatenate([loud, 0.5 * loud]), rate_hz) < alone - 1


def test_silence_and_what_is_shorter_than_a_block():
    assert loudness(np.zeros(48_000), 48_000) == -math.inf
    assert loudness(sine(1000, 0.1, 48_000), 48_000) == pytest.approx(-3, abs=0.5)
    with pytest.raises(ValueError, match="loudness is of"):
        loudness(np.zeros((0, 2)), 48_000)
    with pytest.raises(ValueError, match="loudness is of"):
        loudness(np.zeros((10, 3)), 48_000)


def test_a_long_sound_is_measured_in_pieces_without_a_seam(monkeypatch):
    sound = np.random.default_rng(0).normal(size=(100_000, 2)) * 0.1
    whole = loudness(sound, 8000)
    monkeypatch.setattr(module, "_CHUNK", 1600)
    assert loudness(sound, 8000) == pytest.approx(whole, abs=1e-9)


def test_a_normalised_sound_has_the_target_and_no_peak_beyond_the_ceiling():
    chance = np.random.default_rng(1)
    for sound in (
        sine(300, 3, 44_100, 0.01),
        chance.normal(size=(100_000, 2)) * 3,
        # Rare spikes, 30 dB above the rest: only the limiter can do it.
        sine(300, 3, 44_100, 0.05) + (np.arange(3 * 44_100) % 9973 == 0) * 1.5,
    ):
        done = normalise(sound.astype(np.float32), 44_100)
        assert loudness(done, 44_100) == pytest.approx(-18.0, abs=0.5)
        assert peak(done) <= CEILING
    assert not normalise(np.zeros((100, 2), np.float32), 44_100).any()


def test_the_limiter_turns_down_without_a_corner():
    sound = sine(440, 1, 44_100, 0.2).astype(np.float32)
    sound[20_000:20_050] *= 10
    before = sound.copy()
    module._limit(sound, 44_100)
    gain = (sound / np.where(np.abs(before) > 1e-3, before, np.nan))[19_000:21_000]
    steps = np.abs(np.diff(gain[np.isfinite(gain)]))
    assert peak(sound) <= CEILING
    assert np.nanmin(gain) < 0.6
    assert steps.max() < 0.01
    assert np.array_equal(sound[:19_000], before[:19_000])
