"""Which kernel runs the recurrence: decided once for a device and a dtype, and the reason kept."""

from dataclasses import dataclass
from functools import lru_cache

import torch

from gatedtui.errors import DeviceError, unknown

KERNELS = ("reference", "bptt", "native", "cuda")
"""Every name `train.kernel` may have, besides "auto"."""

PRESENT = ("bptt", "reference")
"""What this installation has, best first; "auto" takes the first."""

REASONS = {
    "bptt": "the backward pass by hand in torch operations: on one CPU thread, music at B 16, 1.7 (tanh) to 3.6 (lstm) "
    "times as fast as autograd",
    "reference": "plain autograd",
}


@dataclass(frozen=True)
class Choice:
    """A kernel and why it was taken, both shown to the user and written into the run."""

    backend: str
    why: str


@lru_cache
def choose(device: torch.device | str, dtype: torch.dtype, wanted: str = "auto") -> Choice:
    """The kernel for `device` and `dtype`.

    Args:
        device: where the parameters are.
        dtype: float32 or float64.
        wanted: "auto", or one of `KERNELS`, which is then taken or refused, never silently replaced.

    Raises:
        BadArgument: no kernel has that name.
        DeviceError: the kernel is not there, or none takes this dtype.
    """
    if wanted != "auto" and wanted not in KERNELS:
        raise unknown("kernel", wanted, ("auto", *KERNELS))
    if dtype not in (torch.float32, torch.float64):
        name = str(dtype).removeprefix("torch.")
        raise DeviceError(f"No kernel takes numbers of type {name!r}.", "Use train.dtype=float32 or float64.")
    if wanted == "auto":
        best = PRESENT[0]
        return Choice(best, f"{REASONS[best]} (chosen for {torch.device(device).type})")
    if wanted not in PRESENT:
        there = ", ".join(PRESENT)
        raise DeviceError(f"The kernel {wanted!r} is not in this installation.", f"There is: {there}, or auto.")
    return Choice(wanted, f"{REASONS[wanted]} (asked for)")
