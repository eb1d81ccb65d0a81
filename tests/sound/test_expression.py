import numpy as np
import pytest

from gatedtui.sound.expression import ALONE, BETWEEN, BOTTOM, TOP, VELOCITY, perform
from gatedtui.sound.midi import read_midi, write_midi


def roll(*steps):
    table = np.zeros((len(steps), 88), np.uint8)
    for number, pitches in enumerate(steps):
        for pitch in pitches:
            table[number, pitch - 21] = 1
    return table


def velocities(notes):
    return {(first, pitch): velocity for first, _, pitch, velocity in notes.tolist()}


def test_outer_voices_lead_and_notes_between_the_beats_are_softer():
    chord = [48, 55, 64, 72]
    got = velocities(perform(roll(chord, chord, [*chord[:3], 74], [60]), steps_per_quarter=2))
    assert got == {
        (0, 48): VELOCITY + BOTTOM,
        (0, 55): VELOCITY,
        (0, 64): VELOCITY,
        (0, 72): VELOCITY + TOP,
        (2, 74): VELOCITY + TOP,
        (3, 60): VELOCITY + ALONE + BETWEEN,
    }


def test_a_held_note_is_struck_once_or_anew_at_every_bar():
    table = roll(*[[60]] * 10, [], [60, 62])
    assert perform(table, steps_per_quarter=1)[:, :3].tolist() == [[0, 10, 60], [11, 12, 60], [11, 12, 62]]
    anew = perform(table, steps_per_quarter=1, restrike=4)[:, :3].tolist()
    assert anew == [[0, 4, 60], [4, 8, 60], [8, 10, 60], [11, 12, 60], [11, 12, 62]]
    assert perform(table, steps_per_quarter=2, restrike=2)[:3, :2].tolist() == [[0, 4], [4, 8], [8, 10]]


@pytest.mark.parametrize("restrike", [0, 1, 4])
@pytest.mark.parametrize("steps_per_quarter", [1, 2, 4, 12])
def test_a_played_roll_comes_back_from_its_midi_file_unchanged(tmp_path, restrike, steps_per_quarter):
    chance = np.random.default_rng(restrike * 100 + steps_per_quarter)
    for trial in range(12):
        table = (chance.random((int(chance.integers(1, 60)), 88)) < chance.choice([0.02, 0.4, 0.95])).astype(np.uint8)
        table[chance.random(len(table)) < 0.2] = 0
        path, qpm = tmp_path / f"{trial}.mid", float(chance.uniform(4, 1000))
        program = int(chance.integers(0, 128))
        write_midi(table, path, qpm=qpm, steps_per_quarter=steps_per_quarter, restrike=restrike, program=program)
        assert np.array_equal(read_midi(path, steps_per_quarter=steps_per_quarter), table)


def test_every_velocity_is_a_midi_velocity_and_silence_has_no_notes():
    notes = perform((np.random.default_rng(0).random((50, 88)) < 0.4).astype(np.uint8), steps_per_quarter=4)
    assert notes[:, 3].min() >= 1
    assert notes[:, 3].max() <= 127
    assert perform(np.zeros((5, 88), np.uint8), steps_per_quarter=4, restrike=2).shape == (0, 4)
    with pytest.raises(ValueError, match="restrike"):
        perform(np.zeros((5, 88), np.uint8), steps_per_quarter=4, restrike=-1)
