"""On which device a run trains: with "auto" on the CPU, but for shapes that a measured table gives to the GPU.

A recurrence of a hundred units is bound by the launches of its kernels, not by arithmetic, so that a GPU may well be
slower than one CPU thread with the compiled kernels. Nobody should have to find that out, and nobody is told a guess.

What repeats there: a run's figures and weights are the same to the bit, resumed or not, on one model of GPU with the
same driver and versions of torch and Triton, since every sum of ours goes in a fixed order and one stream does all the
work; the weight noise is the CPU's to the bit. Across models of GPU, between GPU and CPU, and between a run alone and
in a stack, only the last digits differ at first, which training then makes more of. On the CPU every bit repeats.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from gatedtui.errors import DeviceError


@dataclass(frozen=True)
class Measured:
    """One figure of `gated bench --device cuda`, medians of a whole training step.

    Attributes:
        gpu: as `torch.cuda.get_device_name` has it.
        unit: "tanh", "gru" or "lstm".
        hidden: H.
        rows: B.
        frames_per_s: of the GPU.
        cpu_frames_per_s: of one CPU thread with the compiled kernels, on the same machine.
        source: when, and with what.
    """

    gpu: str
    unit: str
    hidden: int
    rows: int
    frames_per_s: float
    cpu_frames_per_s: float
    source: str


MEASURED: tuple[Measured, ...] = ()
"""Empty: no GPU was at hand yet. `gated bench --device cuda` prints what belongs here."""


@dataclass(frozen=True)
class Place:
    """A device, and why it was taken where that was not asked for; "" where there is nothing to say."""

    device: torch.device
    why: str = ""


def place(wanted: str, unit: str = "", hidden: int = 0, rows: int = 0) -> Place:
    """The device of `--device`.

    Args:
        wanted: "auto", "cpu" or "cuda".
        unit: of the run, like what follows: for "auto" alone.
        hidden: H.
        rows: B.

    Raises:
        DeviceError: `cuda` is asked for and there is none.
    """
    if wanted == "cuda" and not torch.cuda.is_available():
        raise DeviceError(
            "There is no CUDA device for '--device cuda'.", "gated doctor says what is missing; --device cpu works."
        )
    if wanted == "auto" and torch.cuda.is_available():
        return by_table(MEASURED, torch.cuda.get_device_name(), unit, hidden, rows)
    return Place(torch.device("cuda" if wanted == "cuda" else "cpu"))


def by_table(table: Sequence[Measured], gpu: str, unit: str, hidden: int, rows: int) -> Place:
    """The device a table gives to a run: the GPU where it was faster with as many rows or fewer.

    More rows make a GPU's launches longer, not more, and a CPU's steps longer in proportion; so a figure for fewer rows
    holds for more, and not the other way round.
    """
    found = [one for one in table if (one.gpu, one.unit, one.hidden) == (gpu, unit, hidden) and one.rows <= rows]
    if not found:
        return Place(
            torch.device("cpu"),
            f"; on the CPU, because nothing was measured yet on '{gpu}' for such a run: --device cuda asks for it",
        )
    best = max(found, key=lambda one: one.frames_per_s / one.cpu_frames_per_s)
    figures = (
        f"{best.frames_per_s:,.0f} frames/s against {best.cpu_frames_per_s:,.0f} of one CPU thread, measured with "
        f"{best.rows} rows ({best.source})"
    )
    if best.frames_per_s > best.cpu_frames_per_s:
        return Place(torch.device("cuda"), f"; on the GPU, because of {figures}")
    return Place(torch.device("cpu"), f"; on the CPU, because the GPU makes {figures}")
