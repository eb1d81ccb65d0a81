import json

import numpy as np
import pytest

from gatedtui.sound.statistics import describe


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
    assert describe(roll([], [])) == {"polyphony": 0.0, "polyphony_sounding": 0.0, "empty_rate": 1.0}
    measures = describe(roll([60]))
    assert json.loads(json.dumps(measures, allow_nan=False)) == measures
    assert {type(value) for value in measures.values()} == {float}


def test_a_roll_without_frames_has_no_measures():
    with pytest.raises(ValueError, match="T >= 1"):
        describe(np.zeros((0, 88), np.uint8))
