"""On a GPU: values, gradients, graphs, resume, stop, divergence, and what repeats to the bit there."""

import math

import pytest
import torch

from gatedtui import bench_cuda, config, network, paths
from gatedtui.data import prepare
from gatedtui.events import Diverged, Epoch, Finished, Resumed, Stopped
from gatedtui.kernels import noise, present
from gatedtui.kernels.graphs import Graphs
from gatedtui.modelfile import for_unit
from gatedtui.optim import Optimiser
from gatedtui.stack import Stack
from gatedtui.train.loop import Training
from gatedtui.train.stack import kernel
from gatedtui.train.together import together
from gatedtui.units import UNITS

from .cases import case, distance, drawn, flat, lengths_of

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here"),
    pytest.mark.xdist_group("cuda"),
]
KERNELS = [name for name in present("cuda") if name != "reference"]
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
        bound = torch.finfo(dtype).eps * T * (I + H + B)
        for a, b in zip(found, exact, strict=True):
            assert distance(a.cpu(), b) < max(bound, 1e-12), shape


def test_tf32_is_off():
    assert not torch.backends.cuda.matmul.allow_tf32
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
        assert not graphs or (isinstance(stack._step_by_shape, Graphs) and stack._step_by_shape.works)
    torch.testing.assert_close(flats[1], flats[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("backend", KERNELS)
def test_the_same_run_twice_has_the_same_bits_and_a_resume_goes_on_in_them(tiny, backend):
    """No kernel of ours adds up in an order that varies; nor does torch in the products between them."""
    one = settings(train__kernel=backend)
    whole, again = Training(one, tiny), Training(one, tiny)
    told = [[e.valid_nll for e in run.events() if isinstance(e, Epoch | Finished)] for run in (whole, again)]
    assert told[0] == told[1] and torch.equal(whole.network.flat, again.network.flat)
    updates = iter(range(1000))
    first = Training(one, tiny)
    events = list(first.events(lambda: next(updates) >= 5))
    assert isinstance(events[-1], Stopped) and events[-1].updates == 5
    second = Training(one, tiny, state=first.state())
    assert isinstance(next(iter(second.events())), Resumed)
    rest = Training(one, tiny, state=first.state())
    list(rest.events())
    assert torch.equal(rest.network.flat, whole.network.flat) and torch.equal(rest.best, whole.best)


@pytest.mark.parametrize("backend", KERNELS)
def test_training_there_is_training_here_to_rounding(tiny, backend):
    there = Training(settings(train__kernel=backend, train__dtype="float64"), tiny)
    here = Training(settings(train__device="cpu", train__kernel="reference", train__dtype="float64"), tiny)
    figures = [[e.valid_nll for e in run.events() if isinstance(e, Epoch)] for run in (there, here)]
    assert figures[0] == pytest.approx(figures[1], rel=1e-9)


@pytest.mark.parametrize("backend", KERNELS)
def test_a_run_that_diverges_there_says_so_and_keeps_the_weights_of_before(tiny, backend):
    training = Training(settings(train__kernel=backend), tiny)
    with torch.no_grad():
        training.network.flat[3] = math.nan
    before = training.network.flat.clone()
    events = list(training.events())
    assert isinstance(events[-1], Diverged) and training.position.updates == 0
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
