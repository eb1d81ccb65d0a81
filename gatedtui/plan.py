"""From typed words to whole configs, and back: default < model file < recipe < a flag that was typed (contracts)."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from gatedtui import config, modelfile, paths, recipes
from gatedtui.config import RunConfig
from gatedtui.data import catalogue
from gatedtui.errors import BadArgument, GatedError, unknown

UNITS = ("tanh", "lstm", "gru")
DEFAULT_RECIPE = {"music": "paper", "speech": "modern"}
FLAGS = {"train.epochs": "--epochs", "train.lr": "--lr", "seed": "--seed", "train.device": "--device"}
"""Config keys that `gated train` has a flag of its own for."""
SAID = {"unit": "model.unit", "data": "data.name", "recipe": "train.recipe"}
"""Config keys that are typed as words: flags of this name."""


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
    data: str | None = None,
    model: str | None = None,
    recipe: str | None = None,
    settings: Sequence[str] = (),
    flags: Mapping[str, Any] | None = None,
) -> list[Plan]:
    """One plan a unit (three for `unit="all"`).

    Args:
        unit: `tanh`, `lstm`, `gru`, `all`, or a variant; None is the model file's own, else `gru`.
        data: a data set's name or a folder's path; None is `bach`.
        model: a model file's path or name; None takes the paper's size for the unit and the data's kind.
        recipe: a recipe's name; None takes the default of the data's kind.
        settings: `KEY=VALUE` texts, as typed after `--set`.
        flags: values by dotted key that were typed as flags of their own; they beat everything.

    Raises:
        BadArgument: unknown names, values out of range, a unit or data that does not fit the model.
        BadSource: a model file that is not one.
    """
    typed = config.parse_settings(settings) | dict(flags or {})
    unit = typed.pop("model.unit", unit) if unit is None else unit
    set_data: str = typed.pop("data.name", "bach")
    set_recipe: str | None = typed.pop("train.recipe", None)
    data = set_data if data is None else data
    recipe = set_recipe if recipe is None else recipe
    file = modelfile.load(model) if model is not None else None
    check_unit(unit)
    rate_hz = typed.get("data.rate_hz", 0)
    found = catalogue.entry(data, cache=paths.cache_folder(), rate_hz=rate_hz)
    data, kind = found.name, found.kind  # a folder is named by its whole path, so that a resume finds it from anywhere
    chosen = recipes.recipe(DEFAULT_RECIPE[kind] if recipe is None else recipe)
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
    found = config.build(values)
    if (found.model.head == "mixture") != (kind == "speech"):
        hint = f"For {kind} there is model.head={'mixture' if kind == 'speech' else 'bernoulli, nade'}."
        raise BadArgument(f"The output model.head='{found.model.head}' is not for {kind}, as '{data}' is.", hint)
    catalogue.check_window(kind, found.data.window)
    return Plan(found, file)


def check_unit(unit: str | None) -> None:
    """Raises BadArgument unless a unit may be asked for by this name, `all`, or None."""
    if unit not in (None, "all", *UNITS, *config.VARIANTS):
        raise unknown("unit", unit, [*UNITS, "all"])


def again(wanted: RunConfig) -> dict[str, str]:
    """What to type for a run of a config: its words, and by dotted key all that they do not lead to by themselves.

    Where a word means nothing here any more, as a folder that is gone or a recipe of a later version, all is typed.
    """
    try:
        return typed(wanted)
    except GatedError:
        values = {key: text(value) for key, value in config.flat(wanted).items()}
        return {word: values.pop(key) for word, key in SAID.items()} | values


def typed(wanted: RunConfig, words: Sequence[str] = tuple(SAID)) -> dict[str, str]:
    """As `again`, by the unit and some of the other words; raises GatedError where one of them means nothing here."""
    values = config.flat(wanted)
    said = {word: str(values[SAID[word]]) for word in words}
    plain = config.flat(plan(unit=said["unit"], data=said.get("data"), recipe=said.get("recipe"))[0].config)
    rest = {key: text(value) for key, value in values.items() if key not in SAID.values() and value != plain[key]}
    return said | rest


def text(value: Any) -> str:
    """A config's value as it is typed; floats to the last bit."""
    return repr(value) if isinstance(value, float) else str(value)


def command(typed: Mapping[str, str]) -> list[str]:
    """The words of `gated train` for what is typed: by dotted key, or as `unit`, `data`, `model`, `recipe`, `name`."""
    words = ["gated", "train"]
    for key in ("unit", "data", "model", "recipe"):
        words += [f"--{key}", typed[key]] if key in typed else []
    for key, value in typed.items():
        if key in FLAGS:
            words += [FLAGS[key], value]
        elif "." in key:
            words += ["--set", f"{key}={value}"]
    return [*words, "--name", typed["name"]] if "name" in typed else words


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
