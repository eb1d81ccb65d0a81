"""`gated bench`: how fast training and sampling are on this machine."""

from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gatedtui.cli import output
from gatedtui.cli.options import Json

if TYPE_CHECKING:
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
    "busy": "A compiled step while every core is kept busy by others",
}


def bench(
    json: Json = False,
    quick: Annotated[bool, typer.Option("--quick", help="Within 40 s: one thread, fewer sides.")] = False,
) -> None:
    """Times training and sampling against torch.nn, plain cells and the other kernels; within 4 minutes.

    Quiet the machine first: other work makes every figure worse, though all sides alike.
    """
    import torch

    from gatedtui import kernels
    from gatedtui.bench import run

    choice = kernels.choose("cpu", torch.float32)
    output.say(f"kernel {choice.backend}: {choice.why}")
    rows = []
    for row in run(quick=quick):
        rows.append(row)
        output.again(f"{row.table} {row.unit} {row.workload}, {row.threads} thread{'s' if row.threads > 1 else ''}")
    output.again("")
    if json:
        output.document([row.as_dict() for row in rows])
        return
    for table, title in TITLES.items():
        found = [row for row in rows if row.table == table]
        if found:
            output.result(f"\n{title}")
            _table(table, found)


def _table(table: str, rows: list["Row"]) -> None:
    """One table with a bar a row: of the speed-up over torch.nn, of the share of the time, or of the speed."""
    lines: list[list[str]] = []
    for _, cell in groupby(rows, lambda row: (row.unit, row.workload, row.threads)):
        found = list(cell)
        lengths = [_length(table, row) for row in found]
        longest = max(lengths) or 1.0
        for row, length in zip(found, lengths, strict=True):
            first = [row.unit, row.workload, str(row.threads)] if row is found[0] else ["", "", ""]
            lines.append([*first, row.backend, *_figures(table, row), _bar(length / longest)])
    columns = ["unit", "workload", "threads", "backend", *HEADINGS.get(table, ["ms", "frames/s"]), ""]
    numbers = set(range(4, len(columns) - 1)) | {2}
    output.table(columns, lines, right=numbers)


HEADINGS = {
    "gemm": ["ms", "GF/s"],
    "stages": ["ms"],
    "step": ["ms", "frames/s", "vs nn", "vs naive", "of GEMM"],
    "unit": ["ms", "frames/s", "vs nn", "vs naive"],
    "sample": ["ms", "steps/s", "real time"],
}


def _figures(table: str, row: "Row") -> list[str]:
    ms = f"{row.ms:.3f}" if row.ms < 100 else f"{row.ms:.0f}"
    if table == "stages":
        return [ms]
    if table == "gemm":
        M, N, K = (int(size) for size in row.workload.split("x"))
        return [ms, f"{2e-6 * M * N * K / row.ms:.0f}"]
    figures = [ms, f"{row.frames_per_s:,.0f}"]
    if table in ("step", "unit"):
        figures += [_times(row.speedup_vs_nn), _times(row.speedup_vs_naive)]
    if table == "step":
        figures.append("" if row.gemm_fraction is None else f"{row.gemm_fraction:.0%}")
    if table == "sample":
        figures.append(f"{1e3 / row.ms / 800:.0f}×" if row.workload.startswith("speech") else "")
    return figures


def _times(value: Any) -> str:
    return "" if value is None else f"{value:.2f}×" if value < 10 else f"{value:.0f}×"


def _length(table: str, row: "Row") -> float:
    return row.ms if table == "stages" else 1 / row.ms


def _bar(part: float) -> str:
    eighths = round(BAR * 8 * part)
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()
