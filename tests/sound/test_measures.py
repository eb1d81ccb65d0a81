import numpy as np
import pytest

from gatedtui.data import dataset
from gatedtui.sound import distribution, statistics
from gatedtui.sound.distribution import EXCERPTS, Band


def roll(*steps):
    table = np.zeros((len(steps), 88), np.uint8)
    for number, pitches in enumerate(steps):
        for pitch in pitches:
            table[number, pitch - 21] = 1
    return table


def on(*steps):
    return roll(*steps) != 0


def test_the_entropy_of_pitch_classes_is_that_of_their_shares():
    assert statistics.pitch_class_entropy(on([60], [72], [48, 84])) == 0.0
    assert statistics.pitch_class_entropy(on(range(24, 108))) == pytest.approx(np.log2(12))
    # C three times, G once: 0.811 bits.
    assert statistics.pitch_class_entropy(on([60], [72, 67], [60])) == pytest.approx(0.8113, abs=1e-4)


def test_note_lengths_are_those_of_held_notes_in_quarters():
    table = roll([60], [60], [60, 62], [], [60], [62])
    # 60 for three steps and one, 62 for one and one.
    assert statistics.note_length(table != 0) == 6 / 4
    assert statistics.describe(table, steps_per_quarter=2)["note_length"] == 6 / 8


def test_frames_as_the_one_before_are_counted():
    assert statistics.held_rate(on([60], [60], [60, 62], [60, 62], [60])) == 2 / 4
    assert statistics.held_rate(on([60])) == 0.0


def test_a_bar_heard_before_is_a_repetition_and_a_held_chord_is_not():
    tune = [[60], [62], [64], [65]]
    others = [[70], [71], [72], [73]]
    assert statistics.repetition(on(*tune, *others, *tune), 4) == 1 / 5
    assert statistics.repetition(on(*tune, *tune), 4) == 1.0
    assert statistics.repetition(on(*tune, *others), 4) == 0.0
    assert statistics.repetition(on(*[[60]] * 12), 4) == 0.0
    assert "repetition" not in statistics.describe(roll(*tune), steps_per_quarter=1)
    assert statistics.describe(roll(*tune, *tune), steps_per_quarter=1)["repetition"] == 1.0


@pytest.mark.parametrize("seed", range(5))
def test_repetition_agrees_with_the_definition(seed):
    chance = np.random.default_rng(seed)
    table = np.zeros((40, 88), bool)
    table[np.arange(40), 30 + chance.integers(0, 2, 40)] = True
    bar, heard = 3, 0
    for t in range(bar, 40 - bar + 1):
        moving = any((table[k] != table[k - 1]).any() for k in range(t + 1, t + bar))
        heard += moving and any((table[s : s + bar] == table[t : t + bar]).all() for s in range(t - bar + 1))
    assert statistics.repetition(table, bar) == pytest.approx(heard / (40 - 2 * bar + 1))


def test_a_band_is_the_median_and_the_middle_nine_tenths_of_excerpts_of_one_length():
    lengths = []

    def describe(piece):
        lengths.append(len(piece))
        return {"first": float(piece[0, 0])}

    pieces = [np.full((10, 1), k) for k in range(101)] + [np.zeros((0, 1))]
    assert distribution.bands(pieces, 10, describe, seed=0) == {"first": Band(50.0, 5.0, 95.0)}
    lengths.clear()
    distribution.bands([np.zeros((25, 1)), np.zeros((4, 1))], 10, describe, seed=0)
    assert lengths == [10, 10, 4]
    lengths.clear()
    distribution.bands([np.zeros((10 * EXCERPTS + 50, 1))], 10, describe, seed=0)
    assert len(lengths) == EXCERPTS
    assert distribution.bands([], 10, describe, seed=0) == {}


def music(*pieces):
    splits = {"train": tuple(pieces), "valid": (), "test": ()}
    titles = {split: tuple("" for _ in rolls) for split, rolls in splits.items()}
    return dataset.build("tiny", "music", splits, titles, steps_per_quarter=2)


def test_a_sample_stands_beside_its_training_set():
    chord, empty = [60, 64, 67], []
    data = music(*[roll(*[chord] * 8)] * 20, *[roll(*[[60]] * 8)] * 1)
    training = distribution.training_bands(data, 8)
    table = {
        row.name: row for row in distribution.rows(statistics.describe(roll(chord, empty, chord, chord)), training)
    }
    row = table["notes at a time"]
    assert (row.value, row.median, row.usual, row.inside) == ("2.25", "3.00", "3.00 … 3.00", False)
    assert table["lowest pitch (MIDI)"].inside
    assert table["empty frames"].inside is False
    alone = distribution.rows(statistics.describe(roll(chord)), {})
    assert {row.inside for row in alone} == {None}
    assert "bars heard before" not in {row.name for row in alone}


def test_speech_is_measured_at_full_scale_with_its_octaves_apart():
    chance = np.random.default_rng(0)
    waves = tuple(chance.normal(size=4000).astype(np.float32) for _ in range(10))
    splits, titles = {"train": waves, "valid": (), "test": ()}, {"train": ("",) * 10, "valid": (), "test": ()}
    data = dataset.build("noise", "speech", splits, titles, rate_hz=8000, scale=0.1)
    training = distribution.training_bands(data, 1000)
    assert training["rms"].median == pytest.approx(0.1, rel=0.1)
    assert training["zero_crossings_hz"].median == pytest.approx(4000, rel=0.1)
    described = statistics.describe_sound(waves[0][:1000] * 0.5, 8000)
    table = {row.name: row for row in distribution.rows(described, training)}
    assert table["level (RMS, full scale 1)"].inside is False
    assert table["level octave 750-1500 Hz (dB)"].inside is not None
    assert "peak (full scale 1)" in table
