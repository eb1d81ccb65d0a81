"""Dropout, transposition and the running mean of the weights: what they change, what they leave alone, and resuming."""

import dataclasses

import numpy as np
import pytest
import torch

from gatedtui import checkpoint, config, paths
from gatedtui.config import RunConfig
from gatedtui.data import prepare
from gatedtui.data.dataset import DataSet
from gatedtui.errors import BadSource
from gatedtui.evaluate import evaluate
from gatedtui.events import Epoch, Event, Finished, Resumed, Started
from gatedtui.train.loop import Training, train

EVERYTHING = {"train.dropout": 0.3, "train.transpose": 3, "train.smoothing": 0.9}


@pytest.fixture
def tiny() -> DataSet:
    return prepare.prepare("tiny", cache=paths.cache_folder())


def settings(**more: object) -> RunConfig:
    values = {"data.name": "tiny", "train.epochs": 4, "train.batch": 3, "model.hidden": 7, "model.unit": "gru"}
    return config.build(values | {key.replace("__", "."): value for key, value in more.items()})


def epochs(events: list[Event]) -> list[str]:
    clock = ("elapsed_s", "frames_per_s", "time")
    told = [event for event in events if isinstance(event, Epoch | Finished)]
    return [repr({k: v for k, v in dataclasses.asdict(event).items() if k not in clock}) for event in told]


@pytest.mark.parametrize(
    "more",
    [
        {"model.head": "nade", "model.parts": 6},
        {"model.unit": "lstm", "model.layers": 2},
        {"train.kernel": "reference"},
        {"train.truncate": 9},
    ],
    ids=lambda more: " ".join(map(str, more.values())),
)
def test_resume_repeats_the_uninterrupted_run_with_everything_on(tiny: DataSet, more: dict[str, object]):
    chosen = settings(**EVERYTHING, **more)
    whole = Training(chosen, tiny)
    expected = epochs(list(whole.events()))
    for stop_at in (1, 3, 8):
        updates = iter(range(1000))
        first = Training(chosen, tiny)
        events = list(first.events(lambda updates=updates, n=stop_at: next(updates) >= n))
        second = Training(chosen, tiny, state=first.state())
        rest = list(second.events())
        assert isinstance(rest[0], Resumed)
        assert epochs(events) + epochs(rest) == expected
        assert torch.equal(second.network.flat, whole.network.flat)
        assert torch.equal(second.judged.flat, whole.judged.flat)
        assert torch.equal(second.best, whole.best)


def test_each_of_them_changes_the_run_and_at_zero_none_does(tiny: DataSet):
    plain = epochs(list(train(settings(), tiny)))
    assert epochs(list(train(settings(**{key: type(v)(0) for key, v in EVERYTHING.items()}), tiny))) == plain
    for key, value in EVERYTHING.items():
        assert epochs(list(train(settings(**{key: value}), tiny))) != plain, key


def test_what_is_scored_and_kept_is_the_running_mean(tiny: DataSet):
    training = Training(settings(train__smoothing=0.5), tiny)
    mean = training.network.flat.clone()
    for update in range(1, 9):
        batch, last = next(iter(training._rest_of_epoch()), (None, False))
        if batch is None:
            training.position.epoch, training.position.batch = training.position.epoch + 1, 0
            batch, last = next(iter(training._rest_of_epoch()))
        wanted = training._wanted(batch, last)
        assert not training._account(wanted, training._learn(wanted))
        factor = min(0.5, (1 + update) / (10 + update))
        mean = factor * mean + (1 - factor) * training.network.flat
        torch.testing.assert_close(training.judged.flat, mean, rtol=1e-5, atol=1e-7)
    whole = Training(settings(train__smoothing=0.5, train__epochs=1), tiny)
    list(whole.events())
    assert torch.equal(whole.best, whole.judged.flat) and not torch.equal(whole.best, whole.network.flat)


def test_a_state_with_a_running_mean_is_not_taken_for_one_without(tiny: DataSet):
    state = Training(settings(), tiny).state()
    with pytest.raises(BadSource, match="does not fit"):
        Training(settings(train__smoothing=0.9), tiny, state=state)


def test_pieces_are_moved_alike_by_the_single_call_and_in_pieces(tiny: DataSet):
    found = []
    for kernel in ("auto", "reference"):
        chosen = settings(train__transpose=6, train__noise=0.0, train__kernel=kernel, train__dtype="float64")
        found.append([e.train_nll for e in train(chosen, tiny) if isinstance(e, Epoch)])
    np.testing.assert_allclose(*found, rtol=1e-9)


def test_speech_is_not_transposed():
    vowels = prepare.prepare("vowels", cache=paths.cache_folder())
    chosen = settings(data__name="vowels", model__head="mixture", train__transpose=5)
    assert Training(chosen, vowels).transpositions is None


def test_a_joint_output_trains_says_so_and_is_kept_whole(tiny: DataSet, tmp_path):
    chosen = settings(model__head="nade", model__parts=6, train__epochs=60, train__optimiser="adam", train__lr=5e-3)
    training = Training(chosen, dataclasses.replace(tiny, name="jsb"), run="r")
    events = list(training.events())
    started, finished = events[0], events[-1]
    assert isinstance(started, Started) and isinstance(finished, Finished)
    assert started.paper_nll is None, "the paper's figure is of independent outputs"
    assert Training(settings(), dataclasses.replace(tiny, name="jsb"))._started().paper_nll == 8.54
    first = next(event for event in events if isinstance(event, Epoch))
    assert finished.valid_nll < first.valid_nll - 1
    made = training.best_checkpoint()
    assert made is not None and {"head.V", "head.W"} < set(made.tensors)
    checkpoint.save(tmp_path / "m.safetensors", made)
    scored = evaluate(checkpoint.load(tmp_path / "m.safetensors"), tiny, "test")
    assert scored["joint"] == "joint"
    assert scored["nll_frame"] == pytest.approx(finished.test_nll_frame, rel=1e-12)
    assert scored["parameters"] == training.network.counts()
