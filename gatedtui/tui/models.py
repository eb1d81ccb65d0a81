"""The trained models there are to hear and to look into: best models of runs, newest first, then the released ones.

For a thread: files are read. Of a checkpoint only its head is, without numpy.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from gatedtui import paths
from gatedtui.runs import folder as folders

LARGEST_HEAD = 1 << 20
"""Bytes; heads take a few thousand."""
UNITS = ("tanh", "lstm", "gru")
"""In the order in which they are shown side by side."""


@dataclass(frozen=True)
class Model:
    """A trained model.

    Attributes:
        name: the run's, or the released one's.
        source: what to give to a command: a path, which no other name can hide.
        unit, hidden, layers: what it is made of.
        data: what it was trained on.
        kind: `music` or `speech`.
        released: whether it came with the program.
    """

    name: str
    source: str
    unit: str
    hidden: int
    layers: int
    data: str
    kind: str
    released: bool = False


def find(runs: Path) -> list[Model]:
    """All models: runs that have one, newest first, then the released ones.

    Raises:
        BadSource: the runs folder is a file or cannot be read.
    """
    return [*_of_runs(runs), *released()]


def _of_runs(runs: Path) -> Iterator[Model]:
    for run in folders.all_runs(runs):
        try:
            if run.best_path.exists():
                yield _of_run(run.path.absolute(), run.config_path.stat().st_mtime_ns)
        except (OSError, ValueError, KeyError, TypeError):
            continue  # the list of runs says what is wrong with it


@lru_cache(maxsize=4096)
def _of_run(path: Path, written_ns: int) -> Model:
    """A run's model. Only what is shown is read: to check 500 whole configs took 1.7 s, this takes 0.4."""
    return _model(path.name, path, tomllib.loads((path / "run.toml").read_text(encoding="utf-8")))


def released() -> Iterator[Model]:
    """The models that came with the program, by name."""
    for path in sorted(paths.bundled("checkpoints").glob("*.safetensors")):
        try:
            yield _model(path.stem, path.absolute(), _head(path)["config"], released=True)
        except (OSError, ValueError, KeyError, TypeError):
            continue  # `gated doctor` looks at what came with the program


def _model(name: str, path: Path, tables: Mapping[str, Any], *, released: bool = False) -> Model:
    model, data = tables["model"], str(tables["data"]["name"])
    kind = "speech" if model["head"] == "mixture" else "music"
    unit, hidden, layers = str(model["unit"]), int(model["hidden"]), int(model["layers"])
    return Model(name, str(path), unit, hidden, layers, data, kind, released)


def _head(path: Path) -> dict[str, Any]:
    """What a checkpoint says about itself: safetensors files begin with the length of a JSON text (8 bytes, little
    endian) and that text."""
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        if size > LARGEST_HEAD:
            raise ValueError(size)
        return json.loads(json.loads(file.read(size))["__metadata__"]["gated"])


def choose(known: Sequence[Model]) -> list[Model]:
    """What to put side by side at first: the newest model, and the newest of each other unit on the same data; those of
    runs and released ones are not mixed."""
    if not known:
        return []
    first = known[0]
    found: dict[str, Model] = {}
    for model in known:
        if (model.data, model.kind, model.released) == (first.data, first.kind, first.released):
            found.setdefault(model.unit, model)
    return sorted(found.values(), key=lambda model: UNITS.index(model.unit) if model.unit in UNITS else len(UNITS))


def primer(model: Model) -> str:
    """A piece that the model can be given: the first test piece of its data; nothing where the data is a folder, whose
    path no `DATA:INDEX` can name."""
    return f"{model.data}:0" if model.data and "/" not in model.data and "\\" not in model.data else ""
