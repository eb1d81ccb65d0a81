"""From typed words to whole configs: default < model file < recipe < a flag that was typed (contracts: config)."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from gatedtui import config, modelfile, paths, recipes
from gatedtui.config import RunConfig
from gatedtui.data import catalogue
from gatedtui.errors import BadArgument, unknown

UNITS = ("tanh", "lstm", "gru")
DEFAULT_RECIPE = {"music": "paper", "speech": "modern"}


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is to be trained.

    Attributes:
        config: the whole config.
        model: the model file it started from.
    """

    config: RunConfig
    model: modelfile.ModelFile


def plan(
    *,
    unit: str | None = None,
    data: str = "bach",
    model: str | None = None,
    recipe: str | None = None,
    settings: Sequence[str] = (),
    flags: Mapping[str, Any] | None = None,
) -> list[Plan]:
    """One plan a unit (three for `unit="all"`).

    Args:
        unit: `tanh`, `lstm`, `gru`, `all`, or the model file's own, which None stands for too (else for `gru`).
        data: a data set's name or a folder's path.
        model: a model file's path or name; None takes the paper's size for the unit and the data's kind.
        recipe: a recipe's name; None takes the default of the data's kind.
        settings: `KEY=VALUE` texts, as typed after `--set`.
        flags: values by dotted key that were typed as flags of their own; they beat everything.

    Raises:
        BadArgument: unknown names, values out of range, a unit or data that does not fit the model.
        BadSource: a model file that is not one.
    """
    typed = dict(config.parse_setting(text) for text in settings) | dict(flags or {})
    unit = typed.pop("model.unit", unit) if unit is None else unit
    data = typed.pop("data.name", data)
    file = modelfile.load(model) if model is not None else None
    if unit is not None and unit not in (*UNITS, "all") and (file is None or unit != file.model.unit):
        raise unknown("unit", unit, [*UNITS, "all"])
    rate_hz = typed.get("data.rate_hz", 0)
    found = catalogue.entry(data, cache=paths.cache_folder(), rate_hz=rate_hz)
    data, kind = found.name, found.kind  # a folder is named by its whole path, so that a resume finds it from anywhere
    chosen = recipes.recipe(recipe or typed.get("train.recipe") or DEFAULT_RECIPE[kind])
    if unit == "all" and model is not None:
        raise BadArgument(f"'--unit all' does not go with the one model '{model}'.", "Leave one of the two out.")
    if file is not None and unit not in (None, file.model.unit):
        hint = f"Leave out --unit, or write --unit {file.model.unit}."
        raise BadArgument(f"The model '{model}' is made of '{file.model.unit}' units, not '{unit}'.", hint)
    files = [file] if file else [modelfile.for_unit(u, kind) for u in (UNITS if unit == "all" else [unit or "gru"])]
    return [_plan(file, kind, data, chosen, typed) for file in files]


def _plan(file: modelfile.ModelFile, kind: str, data: str, recipe: recipes.Recipe, typed: Mapping[str, Any]) -> Plan:
    if file.kind != kind:
        hint = f"gated train --data {data} --model {kind}-{file.model.unit}"
        raise BadArgument(f"The model '{file.name}' is for {file.kind}, and '{data}' is {kind}.", hint)
    if typed.get("model.unit", file.model.unit) != file.model.unit:
        hint = f"gated train --unit {typed['model.unit']}"
        raise BadArgument(f"model.unit='{typed['model.unit']}' contradicts the unit '{file.model.unit}'.", hint)
    values = {f"model.{key}": value for key, value in dataclasses.asdict(file.model).items()}
    values |= {f"train.{key}": value for key, value in (file.train | recipe.values(kind, file.model.unit)).items()}
    values |= {"data.name": data, "train.recipe": recipe.name} | dict(typed)
    return Plan(config.build(values), file)


def obstacle(config: RunConfig) -> str:
    """Why a run cannot be trained in one step with others (`gated sweep --stack`), or ""."""
    train, model = config.train, config.model
    if model.unit not in UNITS:
        return f"model.unit is '{model.unit}'"
    if model.head not in ("bernoulli", "mixture"):
        return f"model.head is '{model.head}'"
    if train.kernel in ("native", "reference"):
        return f"train.kernel is '{train.kernel}'"
    for key, off in (("dropout", 0.0), ("truncate", 0)):
        if getattr(train, key) != off:
            return f"train.{key} is '{getattr(train, key)}'"
    return ""
