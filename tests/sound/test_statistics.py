import json

import numpy as np
import pytest

from gatedtui.sound.statistics import describe, describe_sound


def roll(*steps):
    table = np.zeros((len(steps), 88), np.uint8)
    for number, pitches in enumerate(steps):
        for pitch in pitches:
            table[number, pitch - 21] = 1
    return table


def test_measures_of_four_frames_are_those_counted_by_hand():
    # Seven pitches; C major holds all but F#: 6/7. G major holds all but F: 6/7. No scale holds both.
    measures = describe(roll([60, 64, 67], [], [65, 66, 62], [108]))
    assert measures == {
        "polyphony": 7 / 4,
        "polyphony_sounding": 7 / 3,
        "empty_rate": 0.25,
        "pitch_low": 60.0,
        "pitch_high": 108.0,
        "pitch_range": 48.0,
        "scale_consistency": 6 / 7,
        "held_rate": 0.0,
        "pitch_class_entropy": pytest.approx((5 * np.log2(7) + 2 * np.log2(3.5)) / 7),
        "note_length": 1.0,
    }


@pytest.mark.parametrize("tonic", range(12))
def test_every_major_scale_and_its_relative_minor_fit_fully(tonic):
    major = [60 + tonic + step for step in (0, 2, 4, 5, 7, 9, 11)]
    minor = [57 + tonic + step for step in (0, 2, 3, 5, 7, 8, 10)]
    assert describe(roll(major))["scale_consistency"] == 1.0
    assert describe(roll(minor))["scale_consistency"] == 1.0


def test_evenly_spread_pitches_fit_by_seven_twelfths():
    assert describe(roll(range(24, 108)))["scale_consistency"] == pytest.approx(7 / 12)


def test_silence_has_no_pitches_and_all_numbers_fit_into_json():
    silent = {"polyphony": 0.0, "polyphony_sounding": 0.0, "empty_rate": 1.0, "held_rate": 1.0}
    assert describe(roll([], [])) == silent
    measures = describe(roll([60]))
    assert json.loads(json.dumps(measures, allow_nan=False)) == measures
    assert {type(value) for value in measures.values()} == {float}


def test_a_roll_without_frames_has_no_measures():
    with pytest.raises(ValueError, match="T >= 1"):
        describe(np.zeros((0, 88), np.uint8))


def tone(frequency: float, *, amplitude: float = 0.5, rate_hz: int = 8000, seconds: float = 1.0) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * frequency * np.arange(int(rate_hz * seconds)) / rate_hz + 0.3)


@pytest.mark.parametrize(("frequency", "octave"), [(130, 0), (260, 1), (530, 2), (1060, 3), (2120, 4)])
@pytest.mark.parametrize("rate_hz", [8000, 16_000, 44_100])
def test_a_tone_is_in_its_octave(frequency: float, octave: int, rate_hz: int):
    found = describe_sound(tone(frequency, rate_hz=rate_hz), rate_hz)
    assert found["rms"] == pytest.approx(0.5 / 2**0.5, rel=1e-2)
    assert found["peak"] == pytest.approx(0.5, rel=2e-2)
    assert found["zero_crossings_hz"] == pytest.approx(2 * frequency, abs=2)
    assert found["octaves_hz"] == [93.75, 187.5, 375, 750, 1500, 3000]
    assert found["octaves_db"][octave] > -0.5
    assert sorted(found["octaves_db"])[-2] < -12
    json.dumps(found, allow_nan=False)


def test_white_noise_rises_three_decibels_an_octave_at_any_loudness():
    noise = np.random.default_rng(0).normal(size=200_000)
    loud, soft = describe_sound(noise, 8000), describe_sound(1e-3 * noise, 8000)
    assert loud["tilt_db_per_octave"] == pytest.approx(10 * np.log10(2), abs=0.15)
    assert soft["octaves_db"] == pytest.approx(loud["octaves_db"], abs=1e-6)
    expected = 10 * np.log10(np.array([1, 2, 4, 8, 16]) / 31)
    assert loud["octaves_db"] == pytest.approx(expected, abs=0.5)


@pytest.mark.parametrize("length", [1, 20, 500])
@pytest.mark.parametrize("value", [0.0, 0.25])
def test_silence_and_a_held_value_have_plain_numbers(length: int, value: float):
    found = describe_sound(np.full(length, value, np.float32), 8000)
    assert found["rms"] == found["peak"] == value and found["zero_crossings_hz"] == 0
    json.dumps(found, allow_nan=False)


def test_octaves_end_at_half_the_rate():
    found = describe_sound(tone(200, rate_hz=2000), 2000)
    assert found["octaves_hz"] == [93.75, 187.5, 375, 750]
    assert describe_sound(tone(50, rate_hz=300), 300)["tilt_db_per_octave"] is None


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros((2, 3))])
def test_what_is_no_sound_is_refused(samples: np.ndarray):
    with pytest.raises(ValueError, match="a sound is"):
        describe_sound(samples, 8000)
