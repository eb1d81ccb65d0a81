"""Checkpoints: safetensors files that say everything about themselves (contracts: checkpoint tensors).

The text `gated` in a file's metadata is one JSON document: format and package version, the whole config, the data's
digest and rate, and the NLLs. Nothing here needs torch: tensors are NumPy arrays.
"""

import json
import math
import stat
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from gatedtui import atomic, config, modelfile, strict_json
from gatedtui.config import RunConfig
from gatedtui.errors import BadArgument, BadSource

FORMAT = 1
LARGEST = 2 * 1024**3
"""Bytes of the largest file that is opened; the biggest model the config allows at float32 stays below."""
Tensors = dict[str, np.ndarray]


@dataclass(frozen=True)
class Checkpoint:
    """A trained model.

    Attributes:
        config: the whole config it was trained with.
        data: `name`, `kind`, `digest`, `steps_per_quarter`, `rate_hz`, `scale`, and for speech `peak`, the loudest
            sample of the training set in units of `scale`.
        nll: the figures known when it was written: `valid_nll`, …, and `epoch`.
        tensors: `unit.W (G·H, I)`, `unit.U (G·H, H)`, `unit.b (G·H,)`, …, `head.…` and `start (N, I)`.
        run: the run's name.
        version: the package that wrote it.
    """

    config: RunConfig
    data: dict[str, Any]
    nll: dict[str, Any]
    tensors: Tensors
    run: str = ""
    version: str = field(default_factory=lambda: version("gatedtui"))

    @property
    def weights(self) -> Tensors:
        """The tensors that are the network's parameters."""
        return {name: value for name, value in self.tensors.items() if name != "start"}


def write(path: Path, tensors: Tensors, about: dict[str, Any]) -> None:
    """Writes a safetensors file atomically, with `about` as its metadata.

    Raises:
        BadSource: the place cannot be written.
    """
    import safetensors.numpy

    content = safetensors.numpy.save(
        {name: np.asarray(value, order="C") for name, value in tensors.items()},
        metadata={"gated": json.dumps({"format": FORMAT} | about, allow_nan=False, sort_keys=True)},
    )
    atomic.write(path, content)


def read(path: Path) -> tuple[Tensors, dict[str, Any]]:
    """The tensors and the metadata of a file that `write` wrote.

    Raises:
        BadSource: missing, too large, cut short, a pickle, or not one of ours. Nothing in it is ever executed.
    """
    import safetensors
    import safetensors.numpy

    hint = "gated runs list names the runs, gated models list the released models."
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # a pipe would be waited for, a device read without end
            raise BadSource(f"The checkpoint '{path}' is not a plain file.", hint)
        if (size := status.st_size) > LARGEST:
            raise BadSource(f"'{path}' is too large for a checkpoint ({size:,} bytes).", hint)
        content = path.read_bytes()
    except OSError as error:
        raise BadSource(f"The checkpoint '{path}' cannot be read ({error.strerror}).", hint) from None
    try:
        tensors = safetensors.numpy.load(content)
        header = strict_json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        about = strict_json.loads(header["__metadata__"]["gated"])
    except safetensors.SafetensorError as error:
        raise BadSource(f"'{path}' is not a whole safetensors file ({error}).", hint) from None
    except (KeyError, ValueError, TypeError, RecursionError):
        raise BadSource(f"'{path}' is not a checkpoint of gated: it does not say what it holds.", hint) from None
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        found = about.get("format") if isinstance(about, dict) else about
        raise BadSource(f"'{path}' has the checkpoint format '{found}'; this version reads '{FORMAT}'.", hint)
    return tensors, about


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Writes a model; raises `BadSource` as `write` does."""
    about = {
        "version": checkpoint.version,
        "config": config.nested(checkpoint.config),
        "data": checkpoint.data,
        "nll": {key: _finite(value) for key, value in checkpoint.nll.items()},
        "run": checkpoint.run,
    }
    write(path, checkpoint.tensors, about)


def load(path: Path) -> Checkpoint:
    """Reads a model and checks that its tensors are what its config says.

    Raises:
        BadSource: as `read`, and for missing tensors, shapes that do not fit the config, and NaN weights.
    """
    tensors, about = read(path)
    try:
        run_config = config.from_nested(about["config"])
        data, nll = dict(about["data"]), dict(about["nll"])
        kind = str(data["kind"])
        rate = int(data["rate_hz" if kind == "speech" else "steps_per_quarter"])
        data |= {"name": str(data["name"]), "digest": str(data["digest"]), "scale": float(data["scale"])}
        levels = [data["scale"], float(data.get("peak", 1.0))]
        for value in nll.values():
            float(value or 0)
    except (KeyError, ValueError, TypeError, AttributeError, OverflowError, BadArgument):
        raise BadSource(f"'{path}' does not hold a whole config.", "Train again, or take another model.") from None
    names = (data["name"], data["digest"], str(about.get("run", "")))
    if not all(name.isprintable() for name in names):  # they are shown, and must not steer a terminal
        raise BadSource(f"'{path}' holds names that cannot be printed.", "Train again, or take another model.")
    _check(path, tensors, run_config)
    expected = "speech" if run_config.model.head == "mixture" else "music"
    if kind != expected or rate <= 0:
        raise BadSource(f"'{path}' says it models '{kind}' at rate '{rate}'.", "Train again, or take another model.")
    if not all(0 < level < math.inf for level in levels):
        raise BadSource(f"'{path}' states the sound levels '{levels}'.", "Train again, or take another model.")
    return Checkpoint(run_config, data, nll, tensors, str(about.get("run", "")), str(about.get("version", "")))


def shapes(run_config: RunConfig) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the parameters of a config's network."""
    model = run_config.model
    inputs = modelfile.WIDTHS[model.head][0]
    found: dict[str, tuple[int, ...]] = {}
    for layer in range(model.layers):
        unit, rows = "unit" if layer == 0 else f"unit{layer + 1}", modelfile.GATES[model.unit] * model.hidden
        found[f"{unit}.W"] = (rows, inputs if layer == 0 else model.hidden)
        found[f"{unit}.U"] = (rows, model.hidden)
        found[f"{unit}.b"] = (rows,)
        if model.unit in modelfile.PEEPHOLES:
            found[f"{unit}.V"] = (modelfile.PEEPHOLES[model.unit], model.hidden)
    return found | {f"head.{name}": shape for name, shape in modelfile.head_shapes(model).items()}


def _check(path: Path, tensors: Tensors, run_config: RunConfig) -> None:
    hint = "The file is damaged or was changed: train again, or take another model."
    wanted = shapes(run_config)
    for name, shape in wanted.items():
        if name not in tensors:
            raise BadSource(f"'{path}' lacks the tensor '{name}'.", hint)
        if tensors[name].shape != shape:
            raise BadSource(f"'{path}' has '{name}' of shape '{tensors[name].shape}' instead of '{shape}'.", hint)
        if not np.issubdtype(tensors[name].dtype, np.floating) or not np.isfinite(tensors[name]).all():
            raise BadSource(f"'{path}' has values in '{name}' that are not finite numbers.", hint)
    inputs = modelfile.WIDTHS[run_config.model.head][0]
    start = tensors.get("start")
    if start is None or start.ndim != 2 or start.shape[1] != inputs or not len(start) or not np.isfinite(start).all():
        raise BadSource(f"'{path}' lacks a usable tensor 'start'.", hint)
    strays = sorted(set(tensors) - set(wanted) - {"start"})
    if strays:
        raise BadSource(f"'{path}' holds the unexpected tensor '{strays[0]}'.", hint)


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
