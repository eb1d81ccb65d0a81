"""On a GPU: values, gradients, graphs, resume, stop, divergence, and what repeats to the bit there."""

import copy
import math

import pytest
import torch

from gatedtui import bench_cuda, config, network, paths
from gatedtui.data import prepare
from gatedtui.events import Diverged, Epoch, Finished, Resumed, Started, Stopped
from gatedtui.kernels import noise, present
from gatedtui.modelfile import for_unit
from gatedtui.optim import Optimiser
from gatedtui.stack import Stack
from gatedtui.train.loop import Training
from gatedtui.train.stack import kernel
from gatedtui.train.together import events, in_a_stack, together
from gatedtui.units import UNITS

from .cases import case, distance, drawn, flat, lengths_of

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here"),
    pytest.mark.xdist_group("cuda"),
]
KERNELS = [name for name in present("cuda") if name != "reference"]
EXP = 16
"""Roundings that exp and a division cost at most: the GPU's approximate ones are off by 2 units in the last place."""
SHAPES = [(1, 1, 3, 5), (9, 4, 6, 46), (23, 8, 5, 100), (5, 17, 5, 227)]  # T, B, I, H: on the chip, and in tiles


@pytest.fixture
def tiny():
    return prepare.prepare("tiny", cache=paths.cache_folder())


def settings(**more: object) -> config.RunConfig:
    values = {"data.name": "tiny", "train.epochs": 4, "train.batch": 4, "model.hidden": 7, "train.device": "cuda"}
    return config.build(values | {key.replace("__", "."): value for key, value in more.items()})


def everything(unit, x, state, lengths, backend):
    from gatedtui.kernels import scan

    h, last = scan(unit, x, state, lengths, backend)
    outputs = [h, *flat(last)]
    loss = sum((o * drawn(*o.shape, seed=9).to(o)).sum() for o in outputs)
    return [*outputs, *torch.autograd.grad(loss, [x, *unit.parameters(), *flat(state)])]


@pytest.mark.parametrize("name", UNITS)
@pytest.mark.parametrize("backend", KERNELS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("ragged", ["none", "any order"])
def test_gradients_are_those_of_float64_on_the_cpu(name, backend, dtype, ragged):
    for shape in SHAPES:
        T, B, I, H = shape
        lengths = lengths_of(ragged, T, B)
        exact = everything(*case(name, shape, torch.float64, started=True, x_grad=True), lengths, "reference")
        unit, x, state = case(name, shape, dtype, started=True, x_grad=True)
        there = [s.detach().cuda().requires_grad_() for s in (x, *flat(state))]
        moved = tuple(there[1:]) if name == "lstm" else there[1]
        found = everything(unit.cuda(), there[0], moved, lengths, backend)
        bound = torch.finfo(dtype).eps * T * (I + H + B + EXP)
        for a, b in zip(found, exact, strict=True):
            assert distance(a.cpu(), b) < max(bound, 1e-12), shape


@pytest.mark.parametrize("kind", ["music", "speech"])
@pytest.mark.parametrize("backend", KERNELS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("ragged", ["none", "longest first", "any order"])
def test_losses_and_their_gradients_are_those_of_float64_on_the_cpu(kind, backend, dtype, ragged):
    T, B = 11, 6
    made = network.build(for_unit("gru", kind).model, torch.Generator().manual_seed(1))
    x, y = (drawn(T, B, n, seed=n) for n in ((88, 88) if kind == "music" else (20, 10)))
    target, lengths = (y > 1).double() if kind == "music" else y, lengths_of(ragged, T, B)
    found = []
    for one, name in ((copy.deepcopy(made).double(), "reference"), (made.to("cuda", dtype), backend)):
        nll = one.losses(x.to(one.flat), target.to(one.flat), lengths, backend=name)
        found.append([nll.cpu(), one.gradient(nll.sum()).cpu()])
    bound = torch.finfo(dtype).eps * T * (88 + made.units[0].hidden_size + B + EXP)
    for a, b in zip(found[1], found[0], strict=True):
        assert distance(a, b) < max(bound, 1e-12)
    if lengths is not None:
        assert not found[1][0][torch.arange(T)[:, None] >= torch.as_tensor(lengths)].any()


def test_tf32_is_off_where_work_is_done():
    torch.set_float32_matmul_precision("highest")  # as `worker.begin` does
    assert all(far < 1e-4 for far in bench_cuda.checked(torch.device("cuda")).values())


@pytest.mark.skipif("cuda" not in KERNELS, reason="triton is not installed: extra 'gpu'")
def test_the_noise_is_the_cpu_s_to_the_bit():
    from gatedtui.kernels.cuda import noise as there

    for seed, draw in ((1, 0), ((1 << 63) - 5, 1 << 31)):
        found = there.normal_numbers(torch.tensor([there.key(seed)]).cuda(), torch.tensor([draw]).cuda(), 12345)
        assert found[0].cpu().numpy().tobytes() == noise.in_numpy(seed, draw, 12345).tobytes()


@pytest.mark.parametrize("backend", KERNELS)
@pytest.mark.parametrize("runs", [1, 3])
def test_a_graph_replays_what_the_steps_do(backend, runs):
    flats = []
    for graphs in (False, True):
        made = [network.build(for_unit("gru", "music").model).cuda() for _ in range(runs)]
        optimisers = [Optimiser(one, settings().train, seed=s, backend=backend) for s, one in enumerate(made)]
        stack = Stack(made, optimisers, backend=backend, graphs=graphs)
        for k in range(12):
            T, B = (20, 4) if k % 3 else (16, 4)
            x, y = ((drawn(runs, T, B, 88, seed=k + n) > 1).float().cuda() for n in (0, 50))
            lengths = torch.tensor([[T, T - 3, 5, 0]] * runs, dtype=torch.int32).cuda()
            stack.learn(x, y, lengths, [0.01] * runs, [1e-2 / (k + 1)] * runs)
        flats.append(stack.flat.clone())
        assert stack.graphs is None or (stack.graphs.works and len(stack.graphs._held) == 2)
    torch.testing.assert_close(flats[1], flats[0], rtol=1e-5, atol=1e-6)


def in_graphs(training, should_stop=lambda: False):
    """As `gated train` does it."""
    assert in_a_stack(training)
    return events(training, should_stop)


def step_by_step(training, should_stop=lambda: False):
    return training.events(should_stop)


WAYS = [(kernel_, way) for kernel_ in ("auto", *KERNELS) for way in (in_graphs, step_by_step)]


@pytest.mark.parametrize(("backend", "way"), WAYS)
def test_the_same_run_twice_has_the_same_bits_and_a_resume_goes_on_in_them(tiny, backend, way):
    """No kernel of ours adds up in an order that varies; nor does torch in the products between them."""
    one = settings(train__kernel=backend)
    whole, again = Training(one, tiny), Training(one, tiny)
    told = [[e.valid_nll for e in way(run) if isinstance(e, Epoch | Finished)] for run in (whole, again)]
    assert told[0] == told[1] and torch.equal(whole.network.flat, again.network.flat)
    updates = iter(range(1000))
    first = Training(one, tiny)
    begun = list(way(first, lambda: next(updates) >= 5))
    assert isinstance(begun[-1], Stopped) and begun[-1].updates == 5
    rest = Training(one, tiny, state=first.state())
    assert isinstance(next(iter(way(rest))), Resumed)
    rest = Training(one, tiny, state=first.state())
    list(way(rest))
    assert torch.equal(rest.network.flat, whole.network.flat) and torch.equal(rest.best, whole.best)


@pytest.mark.parametrize(("backend", "way"), WAYS)
def test_training_there_is_training_here_to_rounding(tiny, backend, way):
    there = Training(settings(train__kernel=backend, train__dtype="float64"), tiny)
    here = Training(settings(train__device="cpu", train__kernel="reference", train__dtype="float64"), tiny)
    figures = [[e.valid_nll for e in told if isinstance(e, Epoch)] for told in (way(there), here.events())]
    assert figures[0] == pytest.approx(figures[1], rel=1e-9)


@pytest.mark.parametrize(("backend", "way"), WAYS)
def test_a_run_that_diverges_there_says_so_and_keeps_the_weights_of_before(tiny, backend, way):
    training = Training(settings(train__kernel=backend), tiny)
    with torch.no_grad():
        training.network.flat[3] = math.nan
    before = training.network.flat.clone()
    told = list(way(training))
    assert isinstance(told[-1], Diverged) and training.position.updates == 0
    torch.testing.assert_close(training.network.flat, before, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("backend", KERNELS)
def test_stacked_runs_are_those_of_each_alone_and_resume(tiny, backend):
    base = {"train__kernel": backend, "train__dtype": "float64"}
    configs = [settings(**base, seed=s, train__lr=lr) for s, lr in ((1, 1e-2), (2, 1e-3))]
    asked = iter(range(1000))
    first = [Training(one, tiny, choice=kernel(one)) for one in configs]
    list(together(first, lambda: next(asked) >= 9))
    second = [Training(c, tiny, state=t.state(), choice=kernel(c)) for c, t in zip(configs, first, strict=True)]
    list(together(second))
    for training, one in zip(second, configs, strict=True):
        alone = Training(one, tiny)
        list(alone.events())
        torch.testing.assert_close(training.network.flat, alone.network.flat, rtol=1e-8, atol=1e-10)


@pytest.mark.filterwarnings("ignore:Synchronization debug mode is a prototype")
def test_a_run_in_graphs_says_so_and_waits_for_nothing_but_what_is_read(tiny, monkeypatch):
    """With torch told to refuse to wait, every step but the captures goes through."""
    monkeypatch.setattr("gatedtui.train.loop.STEP_EVERY_S", 100.0)
    training = Training(settings(train__epochs=2), tiny)
    learn = Stack.learn

    def watched(stack: Stack, x, *rest):
        held = stack.graphs is not None and any(x.shape == shape[0] for shape in stack.graphs._held)
        torch.cuda.set_sync_debug_mode("error" if held else "default")
        try:
            return learn(stack, x, *rest)
        finally:
            torch.cuda.set_sync_debug_mode("default")

    monkeypatch.setattr(Stack, "learn", watched)
    told = list(in_graphs(training))
    assert isinstance(told[0], Started) and "CUDA graphs" in told[0].kernel_why and told[0].kernel == "bptt"
    assert isinstance(told[-1], Finished)


def test_a_capture_that_runs_out_of_memory_goes_on_without(tiny, monkeypatch):
    def refuse(*_words, **_more):
        raise torch.OutOfMemoryError("no memory, for a test")

    monkeypatch.setattr(torch.cuda, "graph", refuse)
    training = Training(settings(), tiny)
    with pytest.warns(UserWarning, match="no memory, for a test"):
        told = list(in_graphs(training))
    assert isinstance(told[-1], Finished)
