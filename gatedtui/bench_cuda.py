"""How fast training is on a GPU, beside cuDNN's other equations and one CPU thread: `gated bench --device cuda`.

As in `bench`: one process, the sides interleaved, medians of many rounds. A side's time ends when the GPU is done with
it. Products are in float32 throughout: TF32 is off, for cuDNN too.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from types import SimpleNamespace
from typing import Any

import torch

from gatedtui import bench, kernels, network, rivals
from gatedtui.bench import Row, Sides, Workload, measure
from gatedtui.kernels import library
from gatedtui.kernels.place import Measured, place
from gatedtui.modelfile import for_unit
from gatedtui.optim import Optimiser
from gatedtui.recipes import recipe
from gatedtui.stack import Stack
from gatedtui.units import UNITS

WORKLOADS = (
    Workload("music", 200, 1, 1.0),
    Workload("music", 200, 16, 1.0),
    Workload("music", 200, 256, 1.0),
    Workload("speech", 48, 128, 1.0),
    Workload("speech", 798, 32, 1.0),
)
STACKED = 30
"""Runs side by side: three units' ten draws, as the paper's protocol has them."""
ALONE = ("graph", "triton graph")
"""The sides that `gated train --device cuda` has: its own choice, and train.kernel=cuda."""
SECONDS, QUICK_SECONDS = 12.0, 2.0
"""Of one cell; those in which launches one by one are slow take longer, since each side is run three times at least."""


def run(*, quick: bool = False) -> Iterator[Row]:
    """Measures, a row as soon as it is known.

    Args:
        quick: fewer rounds, and two workloads.

    Raises:
        DeviceError: there is no CUDA device.
    """
    device = place("cuda").device
    torch.set_num_threads(1)
    torch.set_float32_matmul_precision("highest")  # as in workers
    torch.backends.cudnn.allow_tf32 = False  # which torch has on: cuDNN's sides would round to 10 bits
    for work in WORKLOADS[1:4:2] if quick else WORKLOADS:
        for unit in bench.UNITS:
            yield from cell(unit, work, device, QUICK_SECONDS if quick else SECONDS)


def cell(unit: str, work: Workload, device: torch.device, seconds: float) -> Iterator[Row]:
    """The whole training step of the paper recipe on one workload, all sides.

    Rows: `bptt` and `reference` launch one by one, `graph` replays the step of `bptt`; `triton` and `triton graph`
    likewise; `stacked x30` and `triton stacked x30` are thirty runs in one graph, per run; `cudnn` is torch.nn on this
    device, with other equations; `native` is one thread of this machine's CPU. A side has no row, but a
    warning, where the device has no room for it or no graph of it could be made.
    """
    made = {}
    for name, side in sides(unit, work, device).items():
        if why := _obstacle(side):
            warnings.warn(f"{unit}, {work.name}: '{name}' is left out: {why}", stacklevel=2)
        else:
            made[name] = side
    runs = {name: STACKED if "stacked" in name else 1 for name in made}
    taken = {name: ms / runs[name] for name, ms in measure(made, seconds).items()}
    for name, ms in taken.items():
        versus = taken["cudnn"] / ms if "cudnn" in taken else None
        yield Row("cuda", unit, work.name, 1, name, ms, work.frames * 1e3 / ms, speedup_vs_nn=versus)


def sides(unit: str, work: Workload, device: torch.device) -> Sides:
    """Each side's step, which returns when its device is done."""
    hidden, (x, target) = for_unit(unit, work.kind).model.hidden, work.tensors()
    on_device = x.to(device), target.to(device)
    found: Sides = {"bptt": _alone(unit, work, device, "bptt")}
    found["graph"] = _stacked(unit, work, device, "bptt", 1)
    found[f"stacked x{STACKED}"] = _stacked(unit, work, device, "bptt", STACKED)
    if "cuda" in kernels.present(device):
        found["triton"] = _alone(unit, work, device, "cuda")
        found["triton graph"] = _stacked(unit, work, device, "cuda", 1)
        found[f"triton stacked x{STACKED}"] = _stacked(unit, work, device, "cuda", STACKED)
    with torch.device(device):
        rival = rivals.whole_step("nn", unit, hidden, *on_device, music=work.kind == "music")
    found["cudnn"] = _until_done(rival, device)
    if library.installed().library:
        found["native"] = bench.Compiled(unit, work).step
    return found


def _obstacle(side: Callable[[], Any]) -> str:
    """Makes a side's first step, which captures its graph; gives what is in its way, or ""."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", "no CUDA graph")
            side()
    except (UserWarning, torch.OutOfMemoryError) as error:
        return str(error).partition("\n")[0]
    return ""


def _alone(unit: str, work: Workload, device: torch.device, backend: str) -> Callable[[], Any]:
    """One run by scan, loss and update, launched one by one."""
    made = network.build(for_unit(unit, work.kind).model).to(device)
    x, target = (part.to(device) for part in work.tensors())
    optimiser = Optimiser(made, _paper(), seed=1, backend=backend)

    def step() -> None:
        with optimiser.noise():
            gradient = made.gradient(made.losses(x, target, backend=backend).sum() / work.frames)
        optimiser.step(gradient)

    return _until_done(step, device)


def _stacked(unit: str, work: Workload, device: torch.device, backend: str, runs: int) -> Callable[[], Any]:
    """So many runs in one step, replayed from a graph; each has its own copy of the minibatch."""
    made = [network.build(for_unit(unit, work.kind).model).to(device) for _ in range(runs)]
    plan = _paper()
    optimisers = [Optimiser(one, plan, seed=seed, backend=backend) for seed, one in enumerate(made)]
    stack = Stack(made, optimisers, backend=backend, graphs=device.type == "cuda")
    x, target = (part.to(device).expand(runs, *part.shape).contiguous() for part in work.tensors())
    lengths = torch.full((runs, work.rows), work.steps, dtype=torch.int32, device=device)
    scale, lr = [1 / work.frames] * runs, [plan.lr] * runs
    return _until_done(lambda: stack.learn(x, target, lengths, scale, lr), device)


def _paper() -> Any:
    return SimpleNamespace(**recipe("paper").train)


def _until_done(step: Callable[[], Any], device: torch.device) -> Callable[[], Any]:
    def whole() -> None:
        step()
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    return whole


def gradients(unit: str, device: torch.device, backend: str) -> float:
    """How far the gradients of a float32 layer on the device are from float64 on the CPU, in units of the largest."""
    generator = torch.Generator().manual_seed(0)
    exact = UNITS[unit](88, 46, generator=generator).double()
    x = torch.randn(50, 16, 88, dtype=torch.float64, generator=generator)
    there = UNITS[unit](88, 46).to(device)
    there.load_state_dict(exact.state_dict())
    found = []
    for layer, name in ((exact, "reference"), (there, backend)):
        h, _ = kernels.scan(layer, x.to(layer.W), backend=name)
        found.append(torch.autograd.grad((h**2).sum(), list(layer.parameters())))
    pairs = [(a.cpu().double(), b) for a, b in zip(found[1], found[0], strict=True)]
    return max(float((a - b).abs().max() / b.abs().max()) for a, b in pairs)


def checked(device: torch.device) -> dict[str, float]:
    """`gradients` by `unit backend`, for all kernels the device has."""
    return {f"{unit} {name}": gradients(unit, device, name) for unit in UNITS for name in kernels.present(device)}


def measured(rows: Sequence[Row], gpu: str, source: str) -> list[Measured]:
    """What belongs into `kernels.place.MEASURED`: of each cell with a CPU's figure, the quickest way one run has.

    Args:
        rows: of `run`.
        gpu: its name.
        source: when, and with what.
    """
    found = []
    for (unit, name), cell_ in groupby(rows, key=lambda row: (row.unit, row.workload)):
        speeds = {row.backend: row.frames_per_s or 0.0 for row in cell_}
        work = next(work for work in WORKLOADS if work.name == name)
        ways = [speeds[way] for way in ALONE if way in speeds]
        if ways and "native" in speeds:
            hidden = for_unit(unit, work.kind).model.hidden
            found.append(Measured(gpu, unit, hidden, work.rows, max(ways), speeds["native"], source))
    return found
