"""Which kernel runs the recurrence: decided once for a device and a dtype, and the reason kept."""

import importlib.util
import os
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch

from gatedtui.errors import DeviceError, unknown
from gatedtui.kernels import library
from gatedtui.kernels.library import Found

KERNELS = ("reference", "bptt", "native", "cuda")
"""Every name `train.kernel` may have, besides "auto"."""

REASONS = {
    "native": "compiled C++",
    "bptt": "the backward pass by hand in torch operations",
    "cuda": "Triton kernels",
    "reference": "plain autograd",
}
MEASURED = {"bptt": ": on one CPU thread, music at B 16, 1.7 (tanh) to 3.6 (lstm) times as fast as autograd"}
"""What a reason rests on, on a CPU."""


@dataclass(frozen=True)
class Choice:
    """A kernel and why it was taken, both shown to the user and written into the run; and which build of it."""

    backend: str
    why: str
    build: str = ""

    @property
    def exact(self) -> str:
        """What has to be the same for the same bits: the kernel and, of a compiled one, its build."""
        return f"{self.backend} {self.build}".rstrip()


def present(device: torch.device | str = "cpu") -> tuple[str, ...]:
    """The kernels this installation has for a device, best first; "auto" takes the first.

    On a GPU `bptt` comes before `cuda`: the Triton kernels are shown right by the interpreter, but were never timed.
    """
    return _present(torch.device(device).type, library.installed(), triton())


@lru_cache
def triton() -> str:
    """What there is of Triton: "" is none, "interpreted" that its kernels run on the CPU, very slowly, as in tests."""
    if importlib.util.find_spec("triton") is None:
        return ""
    return "interpreted" if os.environ.get("TRITON_INTERPRET") == "1" else "compiled"


def choose(device: torch.device | str, dtype: torch.dtype, wanted: str = "auto", *, variant: bool = False) -> Choice:
    """The kernel for `device` and `dtype`.

    Args:
        device: where the parameters are.
        dtype: float32 or float64.
        wanted: "auto", or one of `KERNELS`, which is then taken or refused, never silently replaced.
        variant: whether the unit is none of the paper's three: only plain autograd knows its equations.

    Raises:
        BadArgument: no kernel has that name.
        DeviceError: the kernel is not there, or does not take this device or dtype.
    """
    if variant and wanted in ("auto", "reference"):
        return _variant(_choose(device, dtype, "reference", library.installed(), triton()))
    if variant and wanted in KERNELS:
        raise DeviceError(
            f"The kernel {wanted!r} does not know this variant of a unit.", "There is: reference, or auto."
        )
    return _choose(device, dtype, wanted, library.installed(), triton())


def to_go_on(wanted: str, begun: Any, device: torch.device | str) -> str:
    """The kernel a saved run asks for: its config's, and where that is "auto" the one it began with, if it is here.

    So it goes on with its own where a better one has come since, and a trial of a stack, trained by `bptt`, by itself.

    Args:
        wanted: the config's.
        begun: `Choice.exact` as it was saved, if it was.
        device: where the parameters are.
    """
    name = str(begun).partition(" ")[0]
    return name if wanted == "auto" and name in present(device) else wanted


def _variant(choice: Choice) -> Choice:
    return Choice(choice.backend, f"{REASONS['reference']} (the faster kernels know the paper's three units alone)")


def _present(kind: str, found: Found, triton: str) -> tuple[str, ...]:
    native = ("native",) if found.library and kind == "cpu" else ()
    cuda = ("cuda",) if triton == {"cuda": "compiled", "cpu": "interpreted"}.get(kind) else ()
    return (*native, "bptt", *cuda, "reference")


@lru_cache
def _choose(device: torch.device | str, dtype: torch.dtype, wanted: str, found: Found, triton: str) -> Choice:
    if wanted != "auto" and wanted not in KERNELS:
        raise unknown("kernel", wanted, ("auto", *KERNELS))
    if dtype not in (torch.float32, torch.float64):
        name = str(dtype).removeprefix("torch.")
        raise DeviceError(f"No kernel takes numbers of type {name!r}.", "Use train.dtype=float32 or float64.")
    kind = torch.device(device).type
    there = _present(kind, found, triton)
    if wanted == "auto":
        best = there[0]
        passed_over = "" if best == "native" or kind != "cpu" else f"; not native, because {found.why}"
        return Choice(best, f"{_reason(best, kind, found)} (chosen for {kind}{passed_over})", _build(best, found))
    if wanted not in there:
        because = f" ({found.why})" if wanted == "native" and kind == "cpu" else ""
        elsewhere = wanted == {"cpu": "cuda", "cuda": "native"}.get(kind)
        where = f"for the device '{kind}'" if elsewhere else "in this installation"
        install = "; pip install 'gatedtui[gpu]' brings it" if wanted == "cuda" and kind == "cuda" else ""
        raise DeviceError(
            f"The kernel {wanted!r} is not {where}{because}.", f"There is: {', '.join(there)}, or auto{install}."
        )
    return Choice(wanted, f"{_reason(wanted, kind, found)} (asked for)", _build(wanted, found))


def _reason(backend: str, kind: str, found: Found) -> str:
    measured = MEASURED.get(backend, "") if kind == "cpu" else ""
    return f"{REASONS[backend]}, {found.why}" if backend == "native" else REASONS[backend] + measured


def _build(backend: str, found: Found) -> str:
    return found.library.build if backend == "native" and found.library else ""
