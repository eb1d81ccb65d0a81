"""Model files: one TOML a model (unit, sizes, output, expected parameter counts, the paper's row).

Counts are computed by formula, without torch, and every count a file states is checked against it.
"""

import tomllib
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

from gatedtui import paths
from gatedtui.config import VARIANTS, ModelConfig, build
from gatedtui.errors import BadArgument, BadSource, unknown

GATES = {"tanh": 1, "gru": 3, "lstm": 4} | {name: gates for name, (gates, _) in VARIANTS.items()}
"""Blocks of H rows in W, U and b: of the paper's three units, and of the variants (`units.variants`)."""
PEEPHOLES = {"lstm": 3} | {name: rows for name, (_, rows) in VARIANTS.items() if rows}
"""Rows of V, where a unit has it."""
WIDTHS = {"bernoulli": (88, 88), "nade": (88, 88), "mixture": (20, 10)}
"""Inputs and target width a head is used with: 88 pitches; 20 samples in, 10 out (paper, section 4)."""
LARGEST = 64 * 1024


@dataclass(frozen=True)
class ModelFile:
    """A model as its file describes it.

    Attributes:
        name: the file's name without its ending.
        title: one line for people.
        model: the `[model]` table.
        train: `[train]` values the file prefers; a recipe or a flag beats them.
        paper: what the paper says of this model (`units`, `parameters`, `note`, and `test`, `train` by data set).
    """

    name: str
    title: str
    model: ModelConfig
    train: dict[str, Any] = field(default_factory=dict)
    paper: dict[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """`"music"` or `"speech"`, by the head."""
        return "speech" if self.model.head == "mixture" else "music"

    def paper_nll(self, data: str, split: str = "test") -> float | None:
        """The paper's figure for a data set (Table 2, as recalled), or None."""
        value = self.paper.get(split, {}).get(data)
        return None if value is None else float(value)


def recurrent_parameters(unit: str, inputs: int, hidden: int) -> int:
    """Weights of one recurrent layer: `G·H·(I + H + 1)`, and H for each peephole vector (paper, section 3)."""
    return GATES[unit] * hidden * (inputs + hidden + 1) + PEEPHOLES.get(unit, 0) * hidden


def head_shapes(model: ModelConfig) -> dict[str, tuple[int, ...]]:
    """The tensors of a model's head by name: a linear map of h, and for `nade` what leads from pitch to pitch."""
    width, parts = WIDTHS[model.head][1], model.parts
    numbers = {"bernoulli": width, "mixture": parts * (1 + 2 * width), "nade": width + parts}[model.head]
    shapes: dict[str, tuple[int, ...]] = {"weight": (numbers, model.hidden), "bias": (numbers,)}
    return shapes | {"V": (width, parts), "W": (width, parts)} if model.head == "nade" else shapes


def parameters(model: ModelConfig) -> dict[str, int]:
    """Counts of a model: `recurrent` (all layers), `output` (weights and biases) and `total`."""
    inputs = WIDTHS[model.head][0]
    layer_inputs = [inputs] + [model.hidden] * (model.layers - 1)
    recurrent = sum(recurrent_parameters(model.unit, size, model.hidden) for size in layer_inputs)
    output = sum(prod(shape) for shape in head_shapes(model).values())
    return {"recurrent": recurrent, "output": output, "total": recurrent + output}


def joint(model: ModelConfig) -> str:
    """Whether the outputs of a frame are `"independent"` given the past or `"joint"`: their NLLs do not compare."""
    return "independent" if model.head == "bernoulli" else "joint"


def names() -> list[str]:
    """The bundled model names."""
    return sorted(path.stem for path in paths.bundled("models").glob("*.toml"))


def load(source: str) -> ModelFile:
    """The model file at a path (it holds `/`, ends in `.toml`, or exists), else the bundled model of that name.

    Raises:
        BadArgument: an unknown name.
        BadSource: a file that is missing, not TOML, not a model, or whose stated counts are wrong.
    """
    if paths.is_path(source):
        return read(Path(source))
    if source not in names():
        raise unknown("model", source, names())
    return read(paths.bundled("models") / f"{source}.toml")


def read(path: Path) -> ModelFile:
    """Reads and checks one model file; raises `BadSource` as `load` does."""
    hint = f"Whole ones are in '{paths.bundled('models')}'."
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise BadSource(f"The model file '{path}' cannot be read ({error.strerror}).", hint) from None
    if len(content) > LARGEST:
        raise BadSource(f"The model file '{path}' is larger than 64 KiB.", hint)
    try:
        tables = tomllib.loads(content.decode())
    except (ValueError, RecursionError) as error:  # not TOML, not UTF-8, numbers of thousands of digits
        raise BadSource(f"The model file '{path}' is not TOML: {error}.", hint) from None
    strays = sorted(set(tables) - {"title", "model", "train", "parameters", "paper"})
    tabled = {key: tables.get(key, {}) for key in ("model", "train", "parameters", "paper")}
    if strays or not all(isinstance(table, dict) for table in tabled.values()) or "unit" not in tabled["model"]:
        why = f"it has the unknown entry {strays[0]!r}" if strays else "it needs a table [model] with a unit"
        raise BadSource(f"'{path}' is not a model file: {why}.", hint)
    figures = [tabled["paper"].get(split, {}) for split in ("test", "train")]
    if not all(isinstance(row, dict) and all(type(value) in (int, float) for value in row.values()) for row in figures):
        raise BadSource(f"'{path}' is not a model file: [paper.test] and [paper.train] hold numbers.", hint)
    values = {f"{table}.{key}": value for table in ("model", "train") for key, value in tabled[table].items()}
    try:
        model = build(values).model
    except BadArgument as error:
        raise BadSource(f"The model file '{path}' is wrong: {error.what}", hint) from None
    _check_counts(path, model, tabled["parameters"])
    return ModelFile(
        path.stem, str(tables.get("title", path.stem)), model, dict(tabled["train"]), dict(tabled["paper"])
    )


def _check_counts(path: Path, model: ModelConfig, stated: dict[str, Any]) -> None:
    counted = parameters(model)
    for key, value in stated.items():
        if counted.get(key) != value:
            raise BadSource(
                f"The model file '{path}' states '{value}' {key} parameters, but the formula gives "
                f"'{counted.get(key, 'no such count')}'.",
                "Correct the [parameters] table, or leave it out.",
            )


def for_unit(unit: str, kind: str) -> ModelFile:
    """The bundled model of a unit for `"music"` or `"speech"`: of the paper's three units at the paper's size.

    Of a variant that has none the default sizes.
    """
    name = f"{kind}-{unit}"
    if unit in VARIANTS and name not in names():
        head = "mixture" if kind == "speech" else "bernoulli"
        return ModelFile(name, name, ModelConfig(unit=unit, head=head))
    return load(name)


def paper_nll(model: ModelConfig, data: str, split: str = "test") -> float | None:
    """The paper's figure for a model's unit on a data set (Table 2, as recalled).

    None where it has none: so of variants, and of music's joint output, whose NLL is another thing.
    """
    if model.unit in VARIANTS or model.head == "nade":
        return None
    return for_unit(model.unit, "speech" if model.head == "mixture" else "music").paper_nll(data, split)
