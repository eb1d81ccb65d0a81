"""CUDA graphs as far as they can be shown without a GPU: what is recorded, held and put back, and that it may be."""

import contextlib
import gc
import weakref
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from gatedtui import config, network
from gatedtui.kernels.graphs import WARM_UPS, Graphs, bucket
from gatedtui.modelfile import for_unit
from gatedtui.optim import Optimiser
from gatedtui.stack import Inputs, Stack
from gatedtui.units import UNITS


class Given(NamedTuple):
    x: torch.Tensor


class Cuda:
    """What of `torch.cuda` a capture needs: a replay makes what was captured again, out of the same tensors.

    As in torch, a capture that fails leaves its stream the current one.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, fails_at: int = 10**6) -> None:
        self.main = self.current = self._stream("main")
        self.made, self.pools, self.fails_at = [], [], fails_at
        self.replays = 0
        for name in ("Stream", "stream", "current_stream", "graph_pool_handle", "graph", "CUDAGraph"):
            monkeypatch.setattr(torch.cuda, name, getattr(self, name))

    @staticmethod
    def _stream(name: str) -> Any:
        return SimpleNamespace(name=name, wait_stream=lambda _: None)

    def Stream(self) -> Any:
        self.made.append(self._stream("side"))
        return self.made[-1]

    @contextlib.contextmanager
    def stream(self, one: Any):
        before, self.current = self.current, one
        try:
            yield
        finally:
            self.current = before

    def current_stream(self) -> Any:
        return self.current

    def graph_pool_handle(self) -> object:
        self.pools.append(object())
        return self.pools[-1]

    def CUDAGraph(self) -> Any:
        return SimpleNamespace(replay=self._replay)

    def _replay(self) -> None:
        self.replays += 1

    @contextlib.contextmanager
    def graph(self, _graph: Any, *, pool: Any, stream: Any):
        assert pool is self.pools[-1]
        self.current = stream
        self.fails_at -= 1
        if self.fails_at < 0:
            raise torch.OutOfMemoryError("out of memory")
        yield
        self.current = self.main


def test_a_shape_is_captured_once_and_what_warming_up_wrote_is_put_back(monkeypatch: pytest.MonkeyPatch):
    cuda, state, seen = Cuda(monkeypatch), torch.zeros(2), []

    def function(given: Given) -> tuple[torch.Tensor]:
        seen.append(cuda.current.name)
        state.add_(1)
        return (given.x,)

    graphs = Graphs((state, {"more": torch.zeros(1)}))
    for n in (2, 3, 2, 3):
        made = graphs(function, Given(torch.full((n,), float(n))))
        assert made[0].tolist() == [n] * n
    assert state.tolist() == [0, 0]
    assert seen == ["side"] * 2 * (WARM_UPS + 1)
    assert cuda.replays == 4 and graphs.works
    assert len(cuda.made) == len(cuda.pools) == 1, "cuBLAS has a workspace for each stream"


def test_what_a_replay_gave_is_not_written_over_by_the_next(monkeypatch: pytest.MonkeyPatch):
    Cuda(monkeypatch)
    graphs = Graphs(())
    first = graphs(lambda given: (given.x,), Given(torch.ones(2)))
    graphs(lambda given: (given.x,), Given(torch.zeros(2)))
    assert first[0].tolist() == [1, 1]


def test_where_a_later_capture_fails_no_graph_is_kept_and_the_steps_go_on_where_they_were(monkeypatch):
    cuda, state = Cuda(monkeypatch, fails_at=1), torch.zeros(2)
    graphs = Graphs((state,))

    def function(given: Given) -> tuple[torch.Tensor]:
        state.add_(1)
        return (given.x,)

    graphs(function, Given(torch.ones(2)))
    with pytest.warns(UserWarning, match="no CUDA graph could be made.*out of memory"):
        graphs(function, Given(torch.ones(3)))
    assert cuda.current is cuda.main
    assert state.tolist() == [1, 1], "the fake does nothing when it replays, and the step launched alone does"
    assert not graphs._held and graphs._pool is None, "their memory may be what was missing"


def test_a_bucket_pads_an_eighth_at_most_and_there_are_few():
    assert [bucket(n) for n in (1, 2, 15, 16, 17, 18, 200, 201, 798)] == [1, 2, 15, 16, 18, 18, 208, 208, 832]
    for steps in range(1, 3000):
        assert steps <= bucket(steps) <= steps * 9 / 8
        assert bucket(bucket(steps)) == bucket(steps)
    assert len({bucket(n) for n in range(1, 3000)}) < 80


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_without_cuda_a_graph_says_so_once_and_the_steps_are_made_all_the_same():
    state = torch.zeros(2)

    def function(given: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
        state.add_(1)
        return (given[0] * 2,)

    graphs = Graphs((state,))
    with pytest.warns(UserWarning, match="no CUDA graph could be made"):
        assert graphs(function, Given(torch.ones(2)))[0].tolist() == [2, 2]
    assert state.tolist() == [1, 1], "what warming up wrote stays"
    assert graphs(function, Given(torch.ones(2)))[0].tolist() == [2, 2]


def test_a_stack_and_its_graphs_are_gone_when_nobody_holds_them():
    """What only the garbage collector found it might find during the capture of another graph."""
    nets = [network.build(config.ModelConfig(unit="tanh", hidden=5))]
    stack = Stack(nets, [Optimiser(nets[0], config.TrainConfig(), seed=1)], backend="bptt", graphs=True)
    gone = weakref.ref(stack)
    gc.disable()
    try:
        del stack
        assert gone() is None
    finally:
        gc.enable()


class Watched(TorchDispatchMode):
    """Notes every operation that takes or gives a tensor on the CPU."""

    def __init__(self) -> None:
        super().__init__()
        self.operations, self.on_host = 0, set[str]()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = func(*args, **(kwargs or {}))
        self.operations += 1
        tensors = [leaf for leaf in tree_leaves((args, kwargs, given)) if isinstance(leaf, torch.Tensor)]
        if any(tensor.device.type == "cpu" for tensor in tensors):
            self.on_host.add(str(func))
        return given


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("kind", ["music", "speech"])
@pytest.mark.parametrize(("optimiser", "what"), [("rmsprop", "gradient"), ("adam", "update")])
@pytest.mark.parametrize("backend", ["bptt", "cuda"])
def test_a_step_looks_at_no_value_and_takes_nothing_from_the_host(unit, kind, optimiser, what, backend, monkeypatch):
    """On tensors without values, where looking at one is an error; a copy from or to the host ends a capture."""
    if backend == "cuda":
        pytest.importorskip("triton", reason="triton is not installed: extra 'gpu'")
        for name in ("recurrence", "losses", "noise", "rule"):
            monkeypatch.setattr(f"gatedtui.kernels.cuda.{name}.launch", lambda *_, **__: None)
    train = config.TrainConfig(optimiser=optimiser, clip=1.0, clip_what=what, noise=0.05)
    for runs in (1, 2):
        made = [network.build(for_unit(unit, kind).model) for _ in range(runs)]
        stack = Stack(made, [Optimiser(one, train, seed=1, backend="bptt") for one in made], backend=backend)
        stack.flat, stack.alive = stack.flat.to("meta"), stack.alive.to("meta")
        stack.memory = {name: value.to("meta") for name, value in stack.memory.items()}
        inputs, outputs = (88, 88) if kind == "music" else (20, 10)
        noise = torch.zeros(runs, 3, dtype=torch.int64) if backend == "cuda" else torch.zeros(runs, made[0].n_noisy)
        given = Inputs(
            torch.zeros(runs, 4, 3, inputs),
            torch.zeros(runs, 4, 3, outputs),
            torch.ones(runs, 3, dtype=torch.int32),
            torch.ones(runs),
            torch.ones(runs, dtype=torch.float64),
            torch.ones(runs, dtype=torch.int64),
            noise,
        )
        given = Inputs(*(part.to("meta") for part in given))
        with Watched() as watched:
            nll, norms = stack._step(given)
        assert nll.shape == norms.shape == (runs,)
        assert watched.operations > 50 and not watched.on_host
