import math

import numpy as np
import pytest
from scipy import stats

from gatedtui.data import baseline, dataset
from gatedtui.data.dataset import SPLITS
from gatedtui.errors import BadSource


def rolls(lengths, seed):
    generator = np.random.default_rng(seed)
    return tuple((generator.random((length, 88)) < 0.05).astype(np.uint8) for length in lengths)


def music(**splits):
    titles = {split: tuple(str(i) for i in range(len(pieces))) for split, pieces in splits.items()}
    return dataset.build("x", "music", splits, titles, steps_per_quarter=4)


def test_marginals_are_smoothed_frequencies_over_all_frames():
    train = rolls([7, 1, 30], 0)
    want = [(sum(int(roll[t, p]) for roll in train for t in range(len(roll))) + 1) / 40 for p in range(88)]
    assert baseline.marginals(train).dtype == np.float64
    assert baseline.marginals(train).tolist() == want
    assert baseline.marginals(()).tolist() == [0.5] * 88


def test_the_score_is_that_of_a_plain_computation():
    data = music(train=rolls([20, 35], 1), valid=rolls([5], 2), test=rolls([4, 1, 50, 2], 3))
    p = baseline.marginals(data.splits["train"])
    means, total, frames = [], 0.0, 0
    for roll in data.splits["test"]:
        if len(roll) < 2:
            continue
        piece = 0.0
        for frame in roll[1:]:
            for pitch in range(88):
                piece -= math.log(p[pitch]) if frame[pitch] else math.log(1 - p[pitch])
        means.append(piece / (len(roll) - 1))
        total, frames = total + piece, frames + len(roll) - 1
    frame_weighted, sequence_weighted = baseline.marginal_nll(data)
    assert frame_weighted == pytest.approx(total / frames, rel=1e-12)
    assert sequence_weighted == pytest.approx(sum(means) / 3, rel=1e-12)
    assert frame_weighted != pytest.approx(sequence_weighted, rel=1e-6)
    assert baseline.marginal_nll(data, "valid")[0] == pytest.approx(baseline.marginal_nll(data, "valid")[1])


def test_a_split_without_a_frame_to_score_is_a_bad_source():
    with pytest.raises(BadSource, match="part 'test' of 'x' has no frame"):
        baseline.marginal_nll(music(train=rolls([20], 1), valid=(), test=rolls([1], 2)))


def test_speech_is_scored_by_one_gaussian_a_sample():
    random = np.random.default_rng(4)
    waves = {split: tuple(random.normal(0.1, 2.0, n).astype(np.float32) for n in (55, 240)) for split in SPLITS}
    speech = dataset.build("y", "speech", waves, {}, rate_hz=8000)
    heard = np.concatenate(waves["train"]).astype(np.float64)
    nlls = [-stats.norm.logpdf(w[20 : len(w) // 10 * 10], heard.mean(), heard.std()) for w in waves["test"]]
    frame_weighted, sequence_weighted = baseline.marginal_nll(speech)
    assert frame_weighted == pytest.approx(10 * np.concatenate(nlls).mean(), rel=1e-9)
    assert sequence_weighted == pytest.approx(10 * np.mean([nll.mean() for nll in nlls]), rel=1e-9)


def test_silence_has_a_finite_baseline():
    wave = (np.zeros(100, np.float32),)
    speech = dataset.build("y", "speech", dict.fromkeys(SPLITS, wave), {}, rate_hz=8000)
    assert math.isfinite(baseline.marginal_nll(speech)[0])
