"""How fast training and sampling are on this machine: one process, the sides interleaved, medians of many rounds.

Each round runs every side once, so that whatever else the machine does falls on all of them. Minibatches are made
beforehand. Sizes are the paper's; the input of music is binary with 4 notes in 88 a frame, as real rolls have.
"""

import itertools
import math
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from gatedtui import config, kernels, network, paths, rivals
from gatedtui.data import prepare
from gatedtui.errors import GatedError
from gatedtui.events import Epoch
from gatedtui.kernels import library, minibatch, native
from gatedtui.modelfile import for_unit
from gatedtui.optim import Optimiser
from gatedtui.recipes import recipe
from gatedtui.units import UNITS as ALL_UNITS

BUDGET_S, QUICK_BUDGET_S = 190.0, 24.0
"""Seconds that the timed parts share; setting up takes some more."""
ROUND_S = 0.02
"""A side that is quicker than this is run several times a round."""
GEMM = (192, 240, 240)
"""M, N and K of the product that stands for the machine's best."""
GEMM_OPERATIONS = 2.0 * GEMM[0] * GEMM[1] * GEMM[2]
REAL_SETS = ("jsb", "nottingham", "muse", "piano", "bach")


@dataclass(frozen=True)
class Row:
    """One measured figure.

    Attributes:
        table: "gemm", "step", "unit", "stages", "epoch", "sample", "busy" or "cuda".
        unit: "tanh", "gru", "lstm", or "" where none has a part.
        workload: sizes; for "epoch" the data set.
        threads: torch's; the compiled kernels use one.
        backend: whose figure: a kernel, "nn", "naive", or for "stages" the stage.
        ms: a step's milliseconds, median of the rounds.
        frames_per_s: frames of all rows in a second.
        speedup_vs_nn: against `torch.nn.*` in the same cell.
        speedup_vs_naive: against faithful cells in the same cell.
        gemm_fraction: the useful operations of all matrix products, a second, over the machine's best matrix product.
    """

    table: str
    unit: str
    workload: str
    threads: int
    backend: str
    ms: float
    frames_per_s: float | None = None
    speedup_vs_nn: float | None = None
    speedup_vs_naive: float | None = None
    gemm_fraction: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """The row as `--json` shows it."""
        return asdict(self)


@dataclass(frozen=True)
class Workload:
    """T steps of B rows of music or speech; `share` of the time its cells take beside those of other workloads."""

    kind: str
    steps: int
    rows: int
    share: float

    @property
    def name(self) -> str:
        """As in `Row.workload`."""
        return f"{self.kind} T{self.steps} B{self.rows}"

    @property
    def frames(self) -> int:
        """T·B."""
        return self.steps * self.rows

    def tensors(self) -> tuple[torch.Tensor, torch.Tensor]:
        """x `(T, B, I)` and targets `(T, B, O)`, float32, always the same."""
        generator, size = torch.Generator().manual_seed(0), (self.steps, self.rows)
        if self.kind == "music":
            draw = [torch.rand(*size, 88, generator=generator) < 4 / 88 for _ in range(2)]
            return draw[0].float(), draw[1].float()
        return torch.randn(*size, 20, generator=generator), torch.randn(*size, 10, generator=generator)


WORKLOADS = (
    Workload("music", 200, 16, 1.2),
    Workload("music", 200, 1, 1.0),
    Workload("music", 200, 64, 1.2),
    Workload("speech", 48, 64, 2.0),
    Workload("speech", 798, 16, 7.0),
)
UNITS = ("gru", "lstm", "tanh")

Sides = dict[str, Callable[[], Any]]


@dataclass
class Clock:
    """What is left of the time for the shares that are still to come."""

    ends: float
    shares: float

    def take(self, share: float) -> float:
        """Seconds for a cell of this share; below 0 when the time is up."""
        seconds = (self.ends - time.perf_counter()) * share / max(self.shares, share)
        self.shares -= share
        return seconds


def run(*, quick: bool = False, threads: Sequence[int] = (1, 2)) -> Iterator[Row]:
    """Measures, a row as soon as it is known; ends within 4 minutes, `quick` within 40 s.

    Args:
        quick: one thread, fewer sides and workloads.
        threads: how many torch is given, one after the other.
    """
    before = torch.get_num_threads()
    threads = (1,) if quick else threads
    cells = [w for w in WORKLOADS if not quick or w.rows != 64 or w.kind == "speech"]
    shares = len(UNITS) * len(threads) * 1.6 * sum(w.share for w in cells)
    clock = Clock(time.perf_counter() + (QUICK_BUDGET_S if quick else BUDGET_S), shares)
    try:
        torch.set_num_threads(1)
        gemm = gemm_sides()
        for name, ms in measure(gemm, 0.3).items():
            yield Row("gemm", "", "x".join(map(str, GEMM)), 1, name.removesuffix(" gemm"), ms)
        yield from sampling(quick=quick)
        if not quick:
            yield from epochs()
            yield from busy()
        for count in threads:
            torch.set_num_threads(count)
            # From small to large: once a large tensor was freed, glibc keeps the heap, and torch.nn's LSTM at T48 is
            # a quarter faster than in a process that trains nothing else (38 against 50 ms; ours, 35 against 36).
            for work in cells:
                for unit in UNITS:
                    yield from step_cell(unit, work, count, gemm, clock.take(work.share), quick=quick)
                    yield from unit_cell(unit, work, count, clock.take(0.6 * work.share), quick=quick)
    finally:
        torch.set_num_threads(before)


def measure(sides: Sides, seconds: float) -> dict[str, float]:
    """Median milliseconds of each side, in rounds of all of them.

    Args:
        sides: what is measured; each is run once beforehand.
        seconds: to stay within, if that allows three rounds; one when there is no time left.
    """
    begun_all, repeats = time.perf_counter(), {}
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for name, side in sides.items():
        side()
        begun = time.perf_counter()
        side()
        once = time.perf_counter() - begun
        repeats[name] = max(1, round(ROUND_S / max(once, 1e-6)))
        if repeats[name] == 1:
            taken[name].append(once * 1e3)
    least = 3 if seconds > 0 else 1
    ends, rounds = begun_all + seconds, 0
    while rounds < least - 1 or not all(taken.values()) or time.perf_counter() < ends:
        rounds += 1
        for name, side in sides.items():
            begun = time.perf_counter()
            for _ in range(repeats[name]):
                side()
            taken[name].append((time.perf_counter() - begun) / repeats[name] * 1e3)
    return {name: statistics.median(values) for name, values in taken.items()}


def gemm_sides() -> Sides:
    """One matrix product, float32 and in the cache, by torch and by ours: the better is this machine's rate."""
    M, N, K = GEMM
    A, B, C = torch.randn(M, K), torch.randn(K, N), torch.empty(M, N)
    sides: Sides = {"torch gemm": lambda: torch.mm(A, B, out=C)}
    if library.installed().library:
        product = native.functions()["gemm_f32"]
        sides["native gemm"] = lambda: product(M, N, K, A.data_ptr(), B.data_ptr(), C.data_ptr(), 1)
    return sides


def operations(unit: str, work: Workload, hidden: int) -> float:
    """Useful operations of a step's matrix products; binary inputs are sums of columns and count as none."""
    gates = {"tanh": 1, "gru": 3, "lstm": 4}[unit]
    inputs, outputs, products = (0, 88, 2) if work.kind == "music" else (20, 420, 2)
    return 2.0 * work.frames * (products * gates * hidden * inputs + 3 * gates * hidden * hidden + 3 * hidden * outputs)


def step_cell(unit: str, work: Workload, threads: int, gemm: Sides, seconds: float, *, quick: bool) -> Iterator[Row]:
    """The whole training step of the paper recipe, all sides; then where the time of the compiled one goes."""
    hidden = for_unit(unit, work.kind).model.hidden
    x, target = work.tensors()
    music = work.kind == "music"
    sides: Sides = {}
    made = None
    if library.installed().library:
        made = Compiled(unit, work)
        sides["native"] = made.step
        sides["native pieces"] = _pieces("native", unit, work)
        if threads == 2:
            sides["native x2"] = _two_at_once(unit, work)
    if not quick or not sides:
        sides["bptt"] = _pieces("bptt", unit, work)
    if not quick and threads == 1:
        sides["reference"] = _pieces("reference", unit, work)
    for rival in ("nn", "naive") if not quick or work.frames < 10_000 else ("nn",):
        sides[rival] = rivals.whole_step(rival, unit, hidden, x, target, music=music)
    taken = measure(sides | gemm, seconds)
    rate = GEMM_OPERATIONS / min(taken.pop(name) for name in gemm)
    useful = operations(unit, work, hidden)
    for name, ms in taken.items():
        ms /= 2 if name == "native x2" else 1
        yield replace(_row("step", unit, work, threads, name, ms, taken), gemm_fraction=useful / ms / rate)
    if made is not None and threads == 1:
        for stage, ms in made.stages().items():
            yield Row("stages", unit, work.name, 1, stage, ms)


def unit_cell(unit: str, work: Workload, threads: int, seconds: float, *, quick: bool) -> Iterator[Row]:
    """The recurrent layer alone, forward and backward, under torch's Linear, MSE and fused Adam; all sides."""
    hidden = for_unit(unit, work.kind).model.hidden
    x, outputs = work.tensors()[0], 88 if work.kind == "music" else 420
    sides: Sides = {}
    for backend in kernels.present():
        if backend == kernels.present()[0] or (backend == "bptt" and not quick):
            layer = ALL_UNITS[unit](x.shape[2], hidden)
            scan = _scanned(layer, backend)
            sides[backend] = rivals.layer_step(scan, list(layer.parameters()), hidden, x, outputs)
    for rival in ("nn",) if quick else ("nn", "naive"):
        layer = rivals.layer(rival, unit, x.shape[2], hidden)
        sides[rival] = rivals.layer_step(_first(layer), list(layer.parameters()), hidden, x, outputs)
    taken = measure(sides, seconds)
    for name, ms in taken.items():
        yield _row("unit", unit, work, threads, name, ms, taken)


def sampling(*, quick: bool) -> Iterator[Row]:
    """Steps a second of drawing, one stream and 16, by the compiled kernels and by the units' own steps in torch."""
    for kind in ("music", "speech"):
        for unit in ("gru",) if quick else UNITS:
            made = network.build(for_unit(unit, kind).model)
            for streams in (1, 16):
                uniform = np.random.default_rng(0).random((200, streams, made.head.draws))
                sides: Sides = {"torch": _draw_in_torch(made, uniform[:20])}
                if library.installed().library:
                    drawing = kernels.Drawing(made.units[0], made.head, streams)
                    drawing.feed(torch.zeros(1, streams, made.units[0].input_size))
                    sides["native"] = lambda d=drawing, u=uniform: d.draw(u)
                for name, ms in measure(sides, 0.2).items():
                    ms /= 200 if name == "native" else 20
                    yield Row("sample", unit, f"{kind} {streams} streams", 1, name, ms, 1e3 * streams / ms)


def epochs() -> Iterator[Row]:
    """A whole epoch of the paper's GRU on each real set that is in the cache: updates, then validation."""
    from gatedtui.train.loop import Training

    for name in REAL_SETS:
        try:
            data = prepare.load(name, cache=paths.cache_folder())
        except GatedError:
            continue
        chosen = {"data.name": name, "train.epochs": 3, "model.hidden": 46} | {
            f"train.{key}": value for key, value in recipe("paper").train.items() if key != "epochs"
        }
        seen = [0.0]
        frames = 0
        for event in Training(config.build(chosen), data).events():
            if isinstance(event, Epoch):
                seen.append(event.elapsed_s)
                frames = event.frames
        ms = statistics.median(np.diff(seen).tolist()) * 1e3
        yield Row("epoch", "gru", name, 1, kernels.choose("cpu", torch.float32).backend, ms, frames * 1e3 / ms)


def busy() -> Iterator[Row]:
    """A step while every core is kept busy by others: with one thread a run gets its share, and no less."""
    if not library.installed().library:
        return
    work = WORKLOADS[0]
    step = Compiled("gru", work).step
    for name, others in (("native alone", 0), ("native among others", torch.multiprocessing.cpu_count())):
        spin = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(others)]
        try:
            ms = measure({name: step}, 1.0)[name]
        finally:
            for process in spin:
                process.kill()
                process.wait()
        yield Row("busy", "gru", work.name, 1, name, ms, work.frames * 1e3 / ms)


# -- sides ----------------------------------------------------------------------------------------------------


def _row(table: str, unit: str, work: Workload, threads: int, name: str, ms: float, taken: dict[str, float]) -> Row:
    versus = {rival: taken[rival] / ms if rival in taken else None for rival in ("nn", "naive")}
    return Row(table, unit, work.name, threads, name, ms, work.frames * 1e3 / ms, versus["nn"], versus["naive"])


def _paper() -> Any:
    return SimpleNamespace(**recipe("paper").train)


def _network(unit: str, work: Workload) -> network.Network:
    return network.build(for_unit(unit, work.kind).model)


class Compiled:
    """The single call on one minibatch."""

    def __init__(self, unit: str, work: Workload) -> None:
        made, paper = _network(unit, work), _paper()
        self.network, self.draw = made, 0
        self.batch, _ = minibatch.padded(*work.tensors(), lists=work.kind == "music")
        state, noise = kernels.update_state(made.flat, paper.optimiser), kernels.Noise(paper.noise, made.n_noisy, 1)
        self.stepper = kernels.Stepper(made.units[0], made.head, made.flat, state, paper, noise)

    def step(self) -> None:
        self.stepper(self.batch, draw=self.draw)
        self.draw += 1

    def stages(self) -> dict[str, float]:
        """Milliseconds of a step by stage: of the quickest step in a twentieth of a second or in five."""
        ends, best, taken = time.perf_counter() + 0.05, math.inf, {}
        self.stepper.stages()
        for count in itertools.count():
            if count >= 5 and time.perf_counter() > ends:
                return {stage: 1e3 * seconds for stage, seconds in taken.items() if seconds}
            begun = time.perf_counter()
            self.step()
            seconds, stages = time.perf_counter() - begun, self.stepper.stages()
            if seconds < best:
                best, taken = seconds, stages
        raise AssertionError


def _two_at_once(unit: str, work: Workload) -> Callable[[], Any]:
    """Two runs side by side, a thread each: the layout that is fastest."""
    steps = [Compiled(unit, work).step for _ in range(2)]

    def both() -> None:
        other = threading.Thread(target=steps[1])
        other.start()
        steps[0]()
        other.join()

    return both


def _pieces(backend: str, unit: str, work: Workload) -> Callable[[], Any]:
    made, (x, target) = _network(unit, work), work.tensors()
    optimiser = Optimiser(made, _paper(), seed=1, backend=backend)

    def step() -> None:
        with optimiser.noise():
            gradient = made.gradient(made.losses(x, target, backend=backend).sum() / work.frames)
        optimiser.step(gradient)

    return step


def _scanned(layer: Any, backend: str) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda x: kernels.scan(layer, x, backend=backend)[0]


def _first(layer: Any) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda x: layer(x)[0]


def _draw_in_torch(made: network.Network, uniform: np.ndarray) -> Callable[[], Any]:
    numbers, width = torch.from_numpy(uniform), made.units[0].input_size

    def draw() -> None:
        x, states = torch.zeros(uniform.shape[1], width), None
        for u in numbers:
            h, states, _ = made.step(x, states)
            x = torch.cat((x, made.head.draw(h, u)), 1)[:, -width:]

    return draw
