"""Runs trained as one: each comes out as it would alone, and ends when it would."""

import math
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from gatedtui import config, network, paths
from gatedtui.data import prepare
from gatedtui.data.batches import Batch
from gatedtui.errors import DeviceError
from gatedtui.events import Diverged, Epoch, Event, Finished, Resumed, Started, Step, Stopped
from gatedtui.heads.bernoulli import Bernoulli
from gatedtui.heads.mixture import MixtureOfGaussians
from gatedtui.kernels import Choice, stacked
from gatedtui.kernels.graphs import Graphs, bucket
from gatedtui.kernels.place import Place
from gatedtui.runs.folder import create
from gatedtui.stack import Stack, side_by_side
from gatedtui.train.loop import Training
from gatedtui.train.position import Learn
from gatedtui.train.stack import kernel
from gatedtui.train.together import _minibatch, together
from gatedtui.train.together import events as events_of
from gatedtui.units import UNITS

CLOCK = ("elapsed_s", "frames_per_s", "time")


@pytest.fixture
def tiny():
    return prepare.prepare("tiny", cache=paths.cache_folder())


def settings(**more: object) -> config.RunConfig:
    values = {
        "data.name": "tiny",
        "train.epochs": 4,
        "train.batch": 4,
        "model.hidden": 7,
        "train.dtype": "float64",
        "train.kernel": "bptt",
    }
    return config.build(values | {key.replace("__", "."): value for key, value in more.items()})


def figures(event: Event) -> list[float]:
    return [float(v) for k, v in asdict(event).items() if k not in CLOCK]


def run_together(configs, data, states=None, should_stop=lambda: False):
    states = states or [None] * len(configs)
    pairs = zip(configs, states, strict=True)
    trainings = [Training(one, data, state=state, choice=kernel(one)) for one, state in pairs]
    told: dict[Training, list[Event]] = {training: [] for training in trainings}
    for training, event in together(trainings, should_stop):
        told[training].append(event)
    return trainings, list(told.values())


def same(stacked_run: Training, alone: Training, told: list[Event], told_alone: list[Event]) -> None:
    """All that is said and kept, to a part in 10^11 after some dozens of updates; a `Step` comes by the clock alone."""
    told, told_alone = ([event for event in events if not isinstance(event, Step)] for events in (told, told_alone))
    assert [type(event) for event in told] == [type(event) for event in told_alone]
    for a, b in zip(told, told_alone, strict=True):
        if isinstance(b, Epoch | Finished):
            np.testing.assert_allclose(figures(a), figures(b), rtol=1e-11)
    for a, b in ((stacked_run.network.flat, alone.network.flat), (stacked_run.best, alone.best)):
        torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-12)
    assert stacked_run.state()[1].keys() == alone.state()[1].keys()


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize(("optimiser", "noise"), [("rmsprop", 0.075), ("adam", 0.0)])
def test_runs_of_their_own_rate_seed_and_length_come_out_as_alone(tiny, unit: str, optimiser: str, noise: float):
    base = {"model__unit": unit, "train__optimiser": optimiser, "train__noise": noise}
    configs = [
        settings(**base, seed=1, train__lr=1e-3),
        settings(**base, seed=2, train__lr=1e-2, train__epochs=2),
        settings(**base, seed=3, train__lr=3e-3, train__smoothing=0.5, train__schedule="linear", train__loss="sum"),
    ]
    trainings, told = run_together(configs, tiny)
    for training, events, one in zip(trainings, told, configs, strict=True):
        alone = Training(one, tiny)
        same(training, alone, events, list(alone.events()))


def test_two_layers_and_an_early_stop_are_as_alone(tiny):
    configs = [
        settings(seed=s, model__layers=2, train__epochs=9, train__lr=lr, train__patience=1)
        for s, lr in ((1, 5.0), (2, 1e-3))
    ]
    trainings, told = run_together(configs, tiny)
    for training, events, one in zip(trainings, told, configs, strict=True):
        alone = Training(one, tiny)
        same(training, alone, events, list(alone.events()))
    assert len(told[0]) != len(told[1]), "both ended together, so nothing was tried"


def test_stopped_in_the_middle_they_go_on_together_or_alone(tiny):
    configs = [settings(seed=s, train__lr=1e-2) for s in (1, 2)]
    asked = iter(range(1000))
    first, told = run_together(configs, tiny, should_stop=lambda: next(asked) >= 9)
    assert all(isinstance(events[-1], Stopped) for events in told)
    states = [training.state() for training in first]
    assert {position["updates"] for _, position in states} == {4, 5}
    second, rest = run_together(configs, tiny, states)
    third = Training(configs[1], tiny, state=states[1])
    list(third.events())
    for place, one in enumerate(configs):
        alone = Training(one, tiny)
        whole = [event for event in alone.events() if isinstance(event, Epoch | Finished)]
        assert isinstance(rest[place][0], Resumed)
        again = [event for event in told[place] + rest[place] if isinstance(event, Epoch | Finished)]
        same(second[place], alone, again, whole)
    torch.testing.assert_close(third.network.flat, second[1].network.flat, rtol=1e-11, atol=1e-12)


def test_one_that_diverges_leaves_the_others_as_they_were(tiny):
    configs = [settings(seed=1), settings(seed=2), settings(seed=3)]
    trainings = [Training(one, tiny, choice=kernel(one)) for one in configs]
    with torch.no_grad():
        trainings[1].network.flat[3] = math.nan
    before = trainings[1].network.flat.clone()
    told: dict[Training, list[Event]] = {training: [] for training in trainings}
    for training, event in together(trainings):
        told[training].append(event)
    assert isinstance(told[trainings[1]][-1], Diverged) and trainings[1].position.updates == 0
    torch.testing.assert_close(trainings[1].network.flat, before, rtol=0, atol=0, equal_nan=True)
    for place in (0, 2):
        alone = Training(configs[place], tiny)
        same(trainings[place], alone, told[trainings[place]], list(alone.events()))


@pytest.mark.parametrize("name", UNITS)
@pytest.mark.parametrize("runs", [1, 3])
def test_a_layer_of_runs_is_each_unit_s_own_forward(name: str, runs: int):
    generator = torch.Generator().manual_seed(1)
    units = [UNITS[name](5, 6, generator=generator).double() for _ in range(runs)]
    x = torch.randn(runs, 4, 2, 5, dtype=torch.float64, generator=generator)
    parameters = {key: torch.stack([dict(u.named_parameters())[key] for u in units]) for key in units[0].state_dict()}
    h, _ = stacked.scan_runs(name, x, **parameters)
    for run, unit in enumerate(units):
        torch.testing.assert_close(h[run], unit(x[run])[0], rtol=0, atol=1e-14)


@pytest.mark.parametrize("kind", ["bernoulli", "mixture"])
def test_a_loss_of_runs_is_each_head_s_own(kind: str):
    generator = torch.Generator().manual_seed(1)
    made = (
        (Bernoulli(6, 4), Bernoulli(6, 4)) if kind == "bernoulli" else tuple(MixtureOfGaussians(6, 3, 4) for _ in "ab")
    )
    heads = [head.double() for head in made]
    with torch.no_grad():
        for head in heads:
            head.weight.normal_(generator=generator)
            head.bias.normal_(std=4, generator=generator)
    h, y = (torch.randn(2, 9, n, dtype=torch.float64, generator=generator) for n in (6, 4))
    weight, bias = torch.stack([head.weight for head in heads]), torch.stack([head.bias for head in heads])
    live = torch.arange(9)[None] < torch.tensor([9, 4])[:, None]
    found = stacked.nll_of_runs(3 if kind == "mixture" else 0, h, y, weight, bias, live)
    for run, head in enumerate(heads):
        torch.testing.assert_close(
            found[run], torch.where(live[run], head.nll(h[run], y[run]), 0.0), rtol=0, atol=1e-12
        )


@pytest.mark.parametrize("runs", [1, 2])
def test_padding_changes_no_gradient(runs: int):
    """More steps and rows than the longest minibatch has, as a bucket has them."""
    nets = [network.build(config.ModelConfig(unit="lstm", hidden=5)).double() for _ in range(runs)]
    rng = np.random.default_rng(1)
    one = Batch(*(rng.random((5, 2, 88)).astype(np.float32).round() for _ in "xy"), np.array([5, 3]), np.arange(2))
    found = []
    for steps, rows in ((0, 0), (bucket(17), 4)):
        stack = Stack(nets, None, backend="bptt")
        leaf = stack.flat.clone().requires_grad_()
        nll = stack.losses(leaf, *side_by_side([one] * runs, leaf, steps=steps, rows=rows)).sum((1, 2))
        found.append([nll.detach(), *torch.autograd.grad(nll.sum(), leaf)])
    torch.testing.assert_close(found[1], found[0], rtol=1e-12, atol=1e-12)
    alone = nets[0].losses(torch.from_numpy(one.x).double(), torch.from_numpy(one.y).double(), one.lengths)
    torch.testing.assert_close(nets[0].gradient(alone.sum()), found[0][1][0], rtol=1e-12, atol=1e-12)


def test_what_is_read_late_is_counted_as_if_read_at_once(tiny, monkeypatch: pytest.MonkeyPatch):
    told = []
    for every_s in (0.0, 100.0):
        monkeypatch.setattr("gatedtui.train.loop.STEP_EVERY_S", every_s)
        _, (events,) = run_together([settings(train__lr=0.1, train__clip=0.0)], tiny)
        told.append([figures(event) for event in events if isinstance(event, Epoch | Finished)])
    assert told[0] == told[1]


def test_a_run_that_diverges_between_two_looks_is_left_as_before_the_update_that_failed(tiny, monkeypatch):
    monkeypatch.setattr("gatedtui.train.loop.STEP_EVERY_S", 100.0)
    one = settings(seed=1, train__epochs=2)
    alone = Training(one, tiny)
    events = alone.events()
    first = next(event for event in events if isinstance(event, Epoch))
    before = alone.network.flat.clone()
    training = Training(one, tiny, choice=kernel(one))
    seen = []
    for _, event in together([training]):
        seen.append(event)
        if isinstance(event, Epoch):
            poison(training)
    assert isinstance(seen[-1], Diverged) and seen[-1].updates == first.updates == training.position.updates
    torch.testing.assert_close(training.network.flat, before, rtol=1e-11, atol=1e-12)


def poison(training: Training) -> None:
    """The next minibatch holds a NaN, those after it are as ever."""
    taken, made = iter(range(100)), training.batches.epoch

    def epoch(*words, **more):
        for batch in made(*words, **more):
            if next(taken) == 0:
                batch.x[0, 0, 0] = np.nan
            yield batch

    training.batches.epoch = epoch


@pytest.mark.parametrize(
    ("device", "backend", "more", "how"),
    [
        ("cuda", "bptt", {}, "together"),
        ("cuda", "cuda", {}, "together"),
        ("cpu", "cuda", {}, "together"),
        ("cuda", "bptt", {"train__dropout": 0.5}, "alone"),
        ("cuda", "reference", {"train__kernel": "reference"}, "alone"),
        ("cuda", "reference", {"model__unit": "gru-no-reset", "train__kernel": "auto"}, "alone"),
        ("cpu", "bptt", {}, "alone"),
        ("cpu", "native", {"train__kernel": "auto"}, "alone"),
    ],
)
def test_on_a_gpu_a_run_is_a_stack_of_one_where_that_is_possible(device, backend, more, how, monkeypatch):
    monkeypatch.setattr("gatedtui.train.together.together", lambda trainings, stop: [(trainings[0], "together")])
    training: Any = SimpleNamespace(
        choice=Choice(backend, "for a test"),
        place=Place(torch.device(device)),
        config=settings(**more),
        events=lambda stop: ["alone"],
    )
    assert [event[-1] if isinstance(event, tuple) else event for event in events_of(training)] == [how]


@pytest.mark.parametrize("unit", UNITS)
def test_a_stack_of_one_is_the_run_alone_and_a_resume_goes_on_in_its_bits(tiny, unit: str):
    one = settings(model__unit=unit, train__lr=1e-2, train__kernel="auto")
    (whole,), (told,) = run_together([one], tiny)
    alone = Training(one, tiny, choice=kernel(one))
    same(whole, alone, told, list(alone.events()))
    asked = iter(range(1000))
    first, (begun,) = run_together([one], tiny, should_stop=lambda: next(asked) >= 5)
    assert isinstance(begun[-1], Stopped) and begun[-1].updates == 5
    (rest,), (ended,) = run_together([one], tiny, [first[0].state()])
    assert torch.equal(rest.network.flat, whole.network.flat) and torch.equal(rest.best, whole.best)
    figures_of = [[figures(e) for e in events if isinstance(e, Epoch | Finished)] for events in (begun + ended, told)]
    assert figures_of[0] == figures_of[1]


def test_for_graphs_minibatches_of_like_length_have_one_shape():
    stack: Any = SimpleNamespace(flat=torch.zeros(1, dtype=torch.float64), graphs=Graphs(()))
    shapes = set()
    for steps, rows in ((33, 4), (35, 3), (36, 1)):
        x = np.ones((steps, rows, 5), np.float32)
        one = Learn(Batch(x, x, np.full(rows, steps), np.arange(rows)), True, steps * rows, 1.0, 0.1)
        found = _minibatch([one], stack, 4)
        assert found[0].dtype == torch.float64 and found[0].sum() == steps * rows * 5
        assert found[2].tolist() == [[steps] * rows + [0] * (4 - rows)]
        shapes.add(found[0].shape)
    assert shapes == {(1, 36, 4, 5)}


def test_the_first_event_says_why_this_device_and_how_the_steps_are_done(tiny, monkeypatch):
    why = "; on the GPU, because of 3 frames/s against 2"
    monkeypatch.setattr("gatedtui.train.loop.place", lambda *_: Place(torch.device("cpu"), why))
    training = Training(settings(train__kernel="auto", train__device="auto"), tiny)
    first = next(training.asking(lambda: False, "; as a test"))
    assert isinstance(first, Started) and first.kernel_why == f"{training.choice.why}; as a test{why}"


def test_a_trial_of_a_stack_goes_on_alone_and_one_begun_alone_not_in_a_stack(tiny):
    one = settings(train__kernel="auto")
    asked = iter(range(1000))
    first, _ = run_together([one], tiny, should_stop=lambda: next(asked) >= 5)
    alone = Training(one, tiny, state=first[0].state())
    assert alone.choice.backend == "bptt"
    assert isinstance(list(alone.events())[-1], Finished)
    tensors, position = first[0].state()
    with pytest.raises(DeviceError, match="began with the kernel 'native'") as refused:
        Training(one, tiny, state=(tensors, position | {"backend": "native"}), choice=kernel(one))
    assert "leave out --stack" in refused.value.hint.lower()


ONE_THAT_CANNOT_BE_KEPT = """
import sys
from gatedtui.errors import BadSource
from gatedtui.events import Epoch
from gatedtui.train import stack, worker
record = worker.Keeper.record
def failing(self, event):
    if self.run.name == "one" and isinstance(event, Epoch):
        raise BadSource("no room", "make some")
    record(self, event)
worker.Keeper.record = failing
sys.exit(stack.main(sys.argv[1:]))
"""


def test_a_run_that_cannot_be_kept_any_more_is_answered_once(tiny, runs: Path):
    made = [create(runs, name, settings(train__epochs=1)) for name in ("one", "two")]
    words = [sys.executable, "-c", ONE_THAT_CANNOT_BE_KEPT, *(str(run.path) for run in made)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout and sorted(process.stdout.read().decode().splitlines()) == ["0 3", "1 0"]
        assert process.wait() == 0
