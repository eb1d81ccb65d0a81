"""`gated bench`: how fast training and sampling are on this machine."""

import os
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer

from gatedtui.cli import complete, output
from gatedtui.cli.options import Json
from gatedtui.errors import unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatedtui.bench import Row

BAR = 24
"""Characters of the longest bar."""
TITLES = {
    "gemm": "Matrix product of this machine, one thread",
    "step": "Step: the paper recipe's whole training step (torch.nn: other equations)",
    "unit": "Unit: one layer forward and backward + torch Linear + MSE + Adam (torch.nn: other equations)",
    "stages": "Where the time of a compiled step goes",
    "epoch": "A whole epoch of GRU 46 with validation, minibatches of 8",
    "sample": "Drawing",
    "cuda": "Step on the GPU: the paper recipe's whole training step, per run (cudnn: other equations; native: one CPU "
    "thread)",
    "busy": "A compiled step while every core is kept busy by others",
}


def bench(
    json: Json = False,
    quick: Annotated[bool, typer.Option("--quick", help="Within 40 s: one thread, fewer sides.")] = False,
    build: Annotated[
        str | None,
        typer.Option(
            "--build",
            help="avx2 or baseline: how fast an older CPU's kernels are, and torch on it.",
            autocompletion=complete.words("avx2", "baseline"),
        ),
    ] = None,
    device: Annotated[str, typer.Option("--device", help="cpu, or cuda: a GPU beside one CPU thread.")] = "cpu",
) -> None:
    """Times training and sampling against torch.nn, plain cells and the other kernels; within 4 minutes on a CPU.

    Quiet the machine first: other work makes every figure worse, though all sides alike.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as in workers: else torch's threads spin on a busy machine
    if device not in ("cpu", "cuda"):
        raise unknown("device", device, ("cpu", "cuda"))
    if build is not None:
        _hold_torch_to(build)
    import torch

    from gatedtui import kernels
    from gatedtui.bench import run
    from gatedtui.kernels import library

    if build is not None:
        library.use_at_most(build)
    choice = kernels.choose("cpu", torch.float32)
    if device == "cuda":
        rows = _on_gpu(quick=quick)
    else:
        output.say(f"kernel {choice.backend}: {choice.why}")
        rows = _collect(run(quick=quick))
    if json:
        output.document([row.as_dict() for row in rows])
        return
    for table, title in TITLES.items():
        found = [row for row in rows if row.table == table]
        if found:
            output.result(f"\n{title}")
            (_stages if table == "stages" else _table)(found)


def _collect(measured: "Iterator[Row]") -> list["Row"]:
    """All rows, with a line that says what is being measured."""
    rows = []
    for row in measured:
        rows.append(row)
        output.again(f"{row.table} {row.unit} {row.workload}, {row.threads} thread{'s' if row.threads > 1 else ''}")
    output.again("")
    return rows


def _on_gpu(*, quick: bool) -> list["Row"]:
    """The GPU's rows; what they mean for `--device auto`, and how exact its gradients are, are told besides."""
    import torch

    from gatedtui import bench_cuda
    from gatedtui.kernels.place import place

    there = place("cuda").device
    name = torch.cuda.get_device_name()
    errors = "  ".join(f"{what} {far:.1g}" for what, far in bench_cuda.checked(there).items())
    output.say(f"{name}, torch {torch.__version__}; float32 gradients off float64's by at most: {errors}")
    rows = _collect(bench_cuda.run(quick=quick))
    for line in bench_cuda.measured(rows, name, f"torch {torch.__version__}"):
        output.say(f"{line},")
    return rows


def _hold_torch_to(build: str) -> None:
    """Has torch and its libraries use no more instructions than this build does; they ask when they are loaded."""
    if build not in INSTRUCTIONS:
        raise unknown("build", build, INSTRUCTIONS)
    os.environ.update(INSTRUCTIONS[build])


INSTRUCTIONS = {
    "avx2": {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"},
    "baseline": {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2"},
}
"""What ATen, oneDNN and MKL call the instructions of each narrower build."""


def _table(rows: list["Row"]) -> None:
    """One table with a bar a row: of the speed beside the other sides of the same cell."""
    table, lines = rows[0].table, []
    for _, cell in groupby(rows, lambda row: (row.unit, row.workload, row.threads)):
        found = list(cell)
        quickest = min(row.ms for row in found)
        for row in found:
            first = [row.unit, row.workload, str(row.threads)] if row is found[0] else ["", "", ""]
            lines.append([*first, row.backend, *_figures(row), _bar(quickest / row.ms)])
    columns = ["unit", "workload", "threads", "backend", *HEADINGS.get(table, ["ms", "frames/s"]), ""]
    output.table(columns, lines, right={2, *range(4, len(columns) - 1)})


def _stages(rows: list["Row"]) -> None:
    """One line a cell: milliseconds, and the share of each stage."""
    names = list(dict.fromkeys(row.backend for row in rows))
    lines = []
    for (unit, workload), cell in groupby(rows, lambda row: (row.unit, row.workload)):
        taken = {row.backend: row.ms for row in cell}
        whole = sum(taken.values())
        lines.append([unit, workload, _ms(whole), *(f"{taken.get(name, 0) / whole:.0%}" for name in names)])
    output.table(["unit", "workload", "ms", *names], lines, right=set(range(2, len(names) + 3)))


HEADINGS = {
    "gemm": ["ms", "GF/s"],
    "step": ["ms", "frames/s", "vs nn", "vs naive", "of GEMM"],
    "unit": ["ms", "frames/s", "vs nn", "vs naive"],
    "cuda": ["ms", "frames/s", "vs cudnn"],
    "sample": ["ms", "steps/s", "real time"],
}


def _figures(row: "Row") -> list[str]:
    if row.table == "gemm":
        M, N, K = (int(size) for size in row.workload.split("x"))
        return [_ms(row.ms), f"{2e-6 * M * N * K / row.ms:.0f}"]
    figures = [_ms(row.ms), f"{row.frames_per_s:,.0f}"]
    if row.table in ("step", "unit"):
        figures += [_times(row.speedup_vs_nn), _times(row.speedup_vs_naive)]
    if row.table == "cuda":
        figures.append(_times(row.speedup_vs_nn))
    if row.table == "step":
        figures.append("" if row.gemm_fraction is None else f"{row.gemm_fraction:.0%}")
    if row.table == "sample":
        figures.append(f"{1e3 / row.ms / 800:.0f}×" if row.workload.startswith("speech") else "")
    return figures


def _ms(value: float) -> str:
    return f"{value:.3f}" if value < 100 else f"{value:.0f}"


def _times(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}×" if value < 10 else f"{value:.0f}×"


def _bar(part: float) -> str:
    eighths = round(BAR * 8 * part)
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()
