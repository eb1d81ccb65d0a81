import json
import math

import numpy as np
import pytest

from gatedtui.data import baseline, dataset, describe


def music():
    rolls = [np.zeros((length, 88), np.uint8) for length in (10, 4, 7, 5, 9)]
    for number, roll in enumerate(rolls):
        roll[:, 30 + number] = 1
    rolls[0][3, 80] = 1
    splits = {"train": tuple(rolls[:3]), "valid": (rolls[3],), "test": (rolls[4],)}
    titles = {split: tuple("x" * len(pieces)) for split, pieces in splits.items()}
    notes = ("From here.", "skipped a.mid: it is empty")
    return dataset.build("x", "music", splits, titles, steps_per_quarter=4, notes=notes)


def test_music_is_described_by_pieces_lengths_notes_and_the_marginal_model():
    about = describe.describe(music())
    assert (about["train_pieces"], about["train_frames"], about["train_lengths"]) == (3, 21, [4, 7, 10])
    assert about["notes_per_frame"] == 36 / 35
    assert about["pitch_range"] == [51, 101]
    assert (about["marginal_nll_frame"], about["marginal_nll_sequence"]) == baseline.marginal_nll(music())
    assert (about["notes"], about["skipped"]) == (["From here."], ["a.mid: it is empty"])
    json.dumps(about, allow_nan=False)


def test_sound_is_described_by_seconds_and_levels():
    wave = np.tile(np.array([1, -1], np.float32), 4000)
    splits = {"train": (wave, wave[:800]), "valid": (wave,), "test": (2 * wave,)}
    about = describe.describe(dataset.build("x", "speech", splits, dict.fromkeys(splits, ()), rate_hz=8000, scale=0.1))
    assert (about["train_seconds"], about["test_seconds"]) == (1.1, 1.0)
    assert about["std"] == 0.1 and about["level_dbfs"] == pytest.approx(-20)
    assert about["peak_dbfs"] == pytest.approx(20 * math.log10(0.2))
    json.dumps(about, allow_nan=False)


def test_a_part_without_pieces_has_no_lengths():
    data = music()
    empty = dataset.build("x", "music", {**data.splits, "valid": ()}, {}, steps_per_quarter=4)
    assert describe.describe(empty)["valid_lengths"] is None
