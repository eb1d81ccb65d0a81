"""The compiled kernels as a loaded library: which build runs on this CPU, and why there is none where there is none.

Loaded once, when `gatedtui.kernels` is imported. The structures mirror those of the sources in `cpp/`, field by field.
"""

import ctypes
import json
from ctypes import POINTER, Structure, c_char_p, c_double, c_int32, c_int64, c_uint64, c_void_p
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

STAGES = (
    "noise",
    "weights",
    "input",
    "recurrence",
    "logits",
    "loss",
    "head gradient",
    "head weights",
    "backward",
    "input weights",
    "recurrent weights",
    "input gradient",
    "update",
)
"""The stages of a step, in the order of cpp/stages.h."""


class Shape(Structure):
    """Of a minibatch in packed order: cpp/batch.h."""

    _fields_ = [("steps", c_int64), ("rows", c_int64), ("frames", c_int64), ("live", c_void_p), ("order", c_void_p)]


class Frames(Structure):
    """Numbers, or lists of the places of ones: cpp/batch.h."""

    _fields_ = [("dense", c_void_p), ("index", c_void_p), ("begin", c_void_p)]


class Minibatch(Structure):
    """cpp/step.h."""

    _fields_ = [("shape", Shape), ("x", Frames), ("target", Frames)]


class Noise(Structure):
    """cpp/step.h."""

    _fields_ = [("std", c_double), ("n", c_int64), ("seed", c_uint64), ("draw", c_uint64)]


class Dropout(Structure):
    """cpp/step.h."""

    _fields_ = [("keep", c_double), ("threshold", c_double), ("seed", c_uint64), ("draw", c_uint64)]


class StepResult(Structure):
    """cpp/step.h."""

    _fields_ = [("nll", c_double), ("norm", c_double), ("updated", c_int64)]


class Recipe(Structure):
    """cpp/update.h."""

    _fields_ = [
        ("rule", c_int64),
        ("clip_update", c_int64),
        *((k, c_double) for k in ("lr", "momentum", "averaging", "eps", "clip")),
    ]


def _pointers(name: str, fields: str) -> type[Structure]:
    return type(name, (Structure,), {"_fields_": [(field, c_void_p) for field in fields.split()]})


Memory = _pointers("Memory", "mean_square mean velocity updates")
Weights = _pointers("Weights", "W U b V")
HeadWeights = _pointers("HeadWeights", "weight bias V W")


class ScanForward(Structure):
    """cpp/scan.h."""

    _fields_ = [
        *((k, c_void_p) for k in ("x", "h0", "c0", "h", "h_last", "c_last")),
        ("backward", c_int64),
        ("wants_dx", c_int64),
    ]


class Manner(Structure):
    """cpp/draw.h."""

    _fields_ = [("temperature", c_double), ("limit", c_double), ("greedy", c_int64)]


ScanBackward = _pointers("ScanBackward", "dh dh_last dc_last dW dU db dV dx dh0 dc0")


class LossCall(Structure):
    """cpp/loss.h."""

    _fields_ = [
        ("weights", HeadWeights),
        *((k, c_void_p) for k in ("h", "target", "place")),
        ("frames", c_int64),
        *((k, c_void_p) for k in ("scales", "nll", "dh")),
        ("gradients", HeadWeights),
    ]


_I, _D, _P, _S = c_int64, c_double, c_void_p, c_int32  # integer, double, pointer, status
PLAIN = {
    "sources": (c_char_p, ()),
    "vector_bytes": (_I, ()),
    "cpu_level": (_I, ()),
    "normal": (None, (c_uint64, c_uint64, _I, _P)),
    "sort_rows": (_S, (_P, _I, _I, _P, _P, POINTER(_I))),
    "merge_lists": (_S, (POINTER(Shape), _P, _P, _P, _P, _P, _P)),
}
"""Functions without a number format: result and arguments, as in cpp/api.cpp."""
TYPED = {
    "merge_rows": (_S, (POINTER(Shape), _P, _I, _I, _P)),
    "scan_new": (_P, (_I, _I, _I)),
    "scan_free": (None, (_P,)),
    "scan_forward": (_S, (_P, POINTER(Weights), POINTER(Shape), POINTER(ScanForward))),
    "scan_backward": (_S, (_P, POINTER(ScanBackward))),
    "scan_padding": (_D, (_P,)),
    "loss_new": (_P, (_I, _I, _I, _I)),
    "loss_free": (None, (_P,)),
    "loss_call": (_S, (_P, POINTER(LossCall))),
    "step_new": (_P, (_I, _I, _I, _I, _I, _I)),
    "step_free": (None, (_P,)),
    "step": (
        _S,
        (
            *(_P, _P, POINTER(Minibatch), _D),
            *(POINTER(part) for part in (Noise, Dropout, Recipe, Memory, StepResult)),
        ),
    ),
    "step_gradient": (_S, (_P, _P, POINTER(Minibatch), _D, _P, POINTER(_D))),
    "step_score": (_S, (_P, _P, POINTER(Minibatch), _P)),
    "step_stages": (None, (_P, _P, _I)),
    "drawing_new": (_P, (_I, _I, _I, _I, _I, _I, _I)),
    "drawing_free": (None, (_P,)),
    "drawing_begin": (_S, (_P, POINTER(Weights), POINTER(HeadWeights))),
    "drawing_feed": (_S, (_P, _P, _I)),
    "drawing_draw": (_S, (_P, _I, _P, POINTER(Manner), _P, _P)),
    "gemm": (_S, (_I, _I, _I, _P, _P, _P, _I)),
    "update": (_S, (_P, _P, _I, POINTER(Recipe), POINTER(Memory), POINTER(_D))),
}
"""Functions that come twice, with `_f32` and `_f64`."""


class LibraryError(Exception):
    """A library that cannot be used, and why."""


class Library:
    """One loaded build.

    Args:
        path: of the library.
        name: which of `LEVELS` of build.py it is.

    Attributes:
        functions: every function of the C interface by its name without `gated_`, as `scan_forward_f32`.

    Raises:
        LibraryError: it cannot be loaded, lacks a function, or was compiled from other sources than lie beside it.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.path, self.build = path, name
        self.functions: dict[str, Any] = {}
        try:
            self.handle = ctypes.CDLL(str(path))
            for function_name, (result, arguments) in _signatures().items():
                function = getattr(self.handle, f"gated_{function_name}")
                function.restype, function.argtypes = result, arguments
                self.functions[function_name] = function
        except (OSError, AttributeError) as error:
            raise LibraryError(f"the library '{path.name}' cannot be loaded: {error}") from None
        if self.functions["sources"]().decode() != _build().sources_digest():
            raise LibraryError(
                f"the library '{path.name}' was built from other sources: python -m gatedtui.kernels.build"
            )

    def __repr__(self) -> str:
        return f"Library({self.build!r})"


@dataclass(frozen=True)
class Found:
    """What loading came to.

    Attributes:
        library: the best build this CPU can run, or None.
        why: why it is this one, or why there is none.
    """

    library: Library | None
    why: str


def _signatures() -> dict[str, tuple[Any, tuple[Any, ...]]]:
    typed = {f"{name}_{suffix}": signature for suffix in ("f32", "f64") for name, signature in TYPED.items()}
    return PLAIN | typed


def find(folder: Path | None = None, *, widest: str = "avx512") -> Found:
    """The best library in `folder`, else in the package, that this CPU can run; broken ones are passed over.

    Args:
        folder: where to look.
        widest: builds beyond this one are left out.
    """
    place = folder or Path(_build().INSTALLED)
    libraries, problems = _load(place)
    order = _build().LEVELS
    libraries = [one for one in libraries if order.index(one.build) <= order.index(widest)]
    if libraries:
        limited = ", as asked for" if widest == libraries[0].build != order[-1] else ", the widest this CPU can run"
        why = f"; {problems[-1]}" if problems else limited
        return Found(libraries[0], f"the {libraries[0].build} build{why}")
    return Found(None, problems[0] if problems else _why_none(place))


def usable(folder: Path | None = None) -> list[Library]:
    """Every build in `folder`, else in the package, that this CPU can run, the widest first: for tests and benches."""
    return _load(folder or _build().INSTALLED)[0]


def _load(folder: Path) -> tuple[list[Library], list[str]]:
    """All libraries that can be used, the widest first, and what is wrong with the others."""
    build = _build()
    libraries: list[Library] = []
    problems: list[str] = []
    level = build.LEVELS[0]
    for name in build.LEVELS:  # the narrowest, which any CPU can run, is asked what this one can
        path = folder / build.library_name(name)
        if not path.exists() or build.LEVELS.index(name) > build.LEVELS.index(level):
            continue
        try:
            libraries.insert(0, Library(path, name))
            level = build.LEVELS[int(libraries[0].functions["cpu_level"]())]
        except LibraryError as error:
            problems.append(str(error))
    return libraries, problems


def _build() -> ModuleType:
    """The module that says what is built and where: imported late, so that `python -m` finds it not yet imported."""
    from gatedtui.kernels import build

    return build


def _why_none(folder: Path) -> str:
    try:
        report = json.loads((folder / _build().REPORT).read_text())
        return str(report["why"] or "its libraries are gone: python -m gatedtui.kernels.build")
    except (OSError, ValueError, KeyError, TypeError):
        return "the kernels have not been built: python -m gatedtui.kernels.build"


@cache
def _found(widest: str) -> Found:
    return find(widest=widest)


_widest = ["avx512"]


def installed() -> Found:
    """`find()` for this installation, looked for once."""
    return _found(_widest[0])


def use_at_most(widest: str) -> None:
    """From now on `installed()` is no wider a build than this one of build.py's `LEVELS`: for benchmarks."""
    _widest[0] = widest
