"""Truncated backpropagation: what is cut, what is carried, and that nothing else changes."""

from dataclasses import asdict

import numpy as np
import pytest
import torch

from gatedtui import config, paths
from gatedtui.config import RunConfig
from gatedtui.data import prepare
from gatedtui.data.batches import Batch
from gatedtui.data.dataset import DataSet
from gatedtui.events import Epoch, Finished, Resumed, Started, Stopped
from gatedtui.train import truncate
from gatedtui.train.loop import Training


@pytest.fixture
def tiny() -> DataSet:
    return prepare.prepare("tiny", cache=paths.cache_folder())


def settings(**more: object) -> RunConfig:
    values = {"data.name": "tiny", "train.epochs": 4, "train.batch": 3, "model.hidden": 7, "train.truncate": 9}
    return config.build(values | {key.replace("__", "."): value for key, value in more.items()})


def batch(*lengths: int) -> Batch:
    random = np.random.default_rng(0)
    x, y = (random.random((lengths[0], len(lengths), 88)).astype(np.float32) for _ in range(2))
    return Batch(x, y, np.array(lengths), np.arange(len(lengths)))


def told(events: list) -> list[str]:
    clock = ("elapsed_s", "frames_per_s", "time")
    return [
        repr({k: v for k, v in asdict(event).items() if k not in clock})
        for event in events
        if isinstance(event, Epoch | Finished)
    ]


@pytest.mark.parametrize("steps", [1, 3, 4, 7, 8, 9, 19])
def test_chunks_hold_every_live_frame_once_in_order(steps: int):
    whole = batch(20, 13, 13, 4)
    parts = truncate.chunks(whole, steps)
    assert max(len(part.x) for part in parts) <= steps
    assert max(len(part.x) for part in parts) - min(len(part.x) for part in parts) <= 1
    for row, length in enumerate(whole.lengths):
        found = [part.x[: part.lengths[row], row] for part in parts if row < len(part.lengths)]
        assert np.array_equal(np.concatenate(found), whole.x[:length, row])
    assert all((part.lengths > 0).all() and (np.diff(part.lengths) <= 0).all() for part in parts)
    assert sum(int(part.lengths.sum()) for part in parts) == whole.lengths.sum()


@pytest.mark.parametrize("steps", [0, 20, 21])
def test_a_batch_no_longer_than_a_chunk_stays_whole(steps: int):
    whole = batch(20, 13)
    assert truncate.chunks(whole, steps) == [whole]


@pytest.mark.parametrize("unit", ["tanh", "lstm", "gru"])
@pytest.mark.parametrize("layers", [1, 2])
def test_states_survive_being_named(unit: str, layers: int):
    from gatedtui.network import build

    network = build(config.ModelConfig(unit=unit, hidden=4, layers=layers))
    _, states = network.scan(torch.rand(3, 2, 88))
    again = truncate.from_tensors(truncate.to_tensors(states))
    assert again is not None
    flat, other = (sum((s if isinstance(s, tuple) else (s,) for s in one), ()) for one in (states, again))
    assert len(flat) == len(other) == layers * (2 if unit == "lstm" else 1)
    assert all(torch.equal(a, b) for a, b in zip(flat, other, strict=True))
    assert truncate.from_tensors({}) is None and truncate.to_tensors(None) == {}


def test_the_state_is_carried_on_and_the_gradient_cut(tiny: DataSet):
    """With weights that stay (lr about 0) the chunks' losses add up to the whole's; with a step they differ from it."""
    still = settings(train__epochs=1, train__lr=1e-12, train__noise=0.0)
    cut, whole = (
        Training(still, tiny),
        Training(settings(train__epochs=1, train__lr=1e-12, train__noise=0.0, train__truncate=0), tiny),
    )
    losses = [[e.train_nll for e in training.events() if isinstance(e, Epoch)] for training in (cut, whole)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert cut.position.updates > whole.position.updates

    x, y = torch.rand(20, 2, 88), (torch.rand(20, 2, 88) < 0.1).float()
    _, before = whole.network.scan(x[:10])
    carried = truncate.carried(before, 2)
    h, _ = whole.network.scan(x[10:], carried)
    one = whole.network.gradient(whole.network.nll(h, y[10:]).sum())
    h, _ = whole.network.scan(x[10:], before)
    through = torch.autograd.grad(whole.network.nll(h, y[10:]).sum(), whole.network.in_order())
    assert not torch.allclose(one, torch.cat([g.reshape(-1) for g in through]))


@pytest.mark.parametrize("unit", ["tanh", "lstm", "gru"])
def test_a_cut_beyond_the_longest_piece_changes_nothing(tiny: DataSet, unit: str):
    longest = max(len(roll) for roll in tiny.splits["train"]) - 1
    full = list(Training(settings(model__unit=unit, train__truncate=0), tiny).events())
    same = list(Training(settings(model__unit=unit, train__truncate=longest), tiny).events())
    other = list(Training(settings(model__unit=unit, train__truncate=longest - 1), tiny).events())
    assert told(full) == told(same) != told(other)


@pytest.mark.parametrize("unit", ["tanh", "lstm", "gru"])
@pytest.mark.parametrize("layers", [1, 2])
def test_resume_between_two_chunks_repeats_the_uninterrupted_run(tiny: DataSet, unit: str, layers: int):
    chosen = settings(model__unit=unit, model__layers=layers)
    whole = Training(chosen, tiny)
    expected = told(list(whole.events()))
    in_between = 0
    for stop_at in range(2, whole.position.updates, 10):
        updates = iter(range(1000))
        first = Training(chosen, tiny)
        events = list(first.events(lambda updates=updates, n=stop_at: next(updates) >= n))
        assert isinstance(events[-1], Stopped)
        in_between += first.position.chunk > 0
        second = Training(chosen, tiny, state=first.state())
        rest = list(second.events())
        assert isinstance(rest[0], Resumed)
        assert told(events) + told(rest) == expected
        assert torch.equal(second.network.flat, whole.network.flat)
    assert in_between


def test_it_is_stated_where_it_cuts(tiny: DataSet):
    def why(steps: int) -> str:
        first = next(Training(settings(train__truncate=steps), tiny).events())
        assert isinstance(first, Started)
        return first.kernel_why

    assert "cut every 9 steps" in why(9)
    assert "cut" not in why(0) and "cut" not in why(100_000)


def test_it_still_learns(tiny: DataSet):
    found = [
        e.valid_nll
        for e in Training(settings(train__epochs=25, train__truncate=12), tiny).events()
        if isinstance(e, Epoch)
    ]
    assert found[-1] < found[0] - 1
