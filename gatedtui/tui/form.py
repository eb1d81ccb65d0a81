"""The form for a new run without its screen: what was typed, what it means, and the command line that says the same."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gatedtui import config, modelfile, paths, recipes
from gatedtui import plan as planning
from gatedtui.config import DataConfig, RunConfig
from gatedtui.data import catalogue
from gatedtui.errors import GatedError
from gatedtui.plan import UNITS, Plan, plan
from gatedtui.runs import folder as folders

WORDS = ("unit", "data", "model", "recipe", "name")
Typed = Mapping[str, str]
"""What was typed, by field; fields left empty are not in it."""


@dataclass(frozen=True)
class Resolved:
    """What a form means.

    Attributes:
        typed: the form.
        plans: what would be trained; one a unit. Of a form with errors, what the rest of it means.
        errors: a sentence by field.
        values: what each field comes to, typed or not.
        choices: what `data` and `model` may be.
        name: the run's name, or names.
        ready: whether the data is prepared already.
        data: which it is.
    """

    typed: Typed
    plans: Sequence[Plan] = ()
    errors: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    choices: dict[str, tuple[str, ...]] = field(default_factory=dict)
    name: str = ""
    ready: bool = False
    data: DataConfig = field(default_factory=DataConfig)


def resolve(typed: Typed, runs: Path) -> Resolved:
    """What the form means; reads the disk (model files, folders of data, names of runs), so call it in a thread.

    Args:
        typed: what was typed.
        runs: the runs folder, whose names are taken.
    """
    errors = {key: problem for key, text in typed.items() if (problem := _problem(key, text, typed, runs))}
    good = {key: text for key, text in typed.items() if key not in errors}
    plans: Sequence[Plan] = ()
    try:
        plans = planned(good)
    except GatedError as error:
        blamed = next((key for key in ("model", "recipe", "data", "unit") if key in good), "unit")
        errors[blamed] = error.what
        good.pop(blamed, None)
        plans = _planned_or_none(good)
    found = plans[0].config if plans else RunConfig()
    values = {key: planning.text(value) for key, value in config.flat(found).items()}
    values |= {"unit": good.get("unit", found.model.unit), "data": found.data.name, "recipe": found.train.recipe}
    names = names_of(plans, good.get("name"), runs)
    values |= {"model": plans[0].model.name if len(plans) == 1 else "the paper's sizes", "name": ", ".join(names)}
    kind = catalogue.entry(found.data.name).kind if plans else "music"
    models = tuple(name for name in modelfile.names() if name.startswith(kind))
    choices = {"data": tuple(entry.name for entry in _entries()), "model": models}
    return Resolved(typed, plans, errors, values, choices, ", ".join(names), _is_ready(found.data), found.data)


def planned(typed: Typed) -> list[Plan]:
    """The plans of a form; raises as `plan.plan` does."""
    settings = [f"{key}={text}" for key, text in typed.items() if key not in WORDS]
    return plan(
        unit=typed.get("unit"),
        data=typed.get("data"),
        model=typed.get("model"),
        recipe=typed.get("recipe"),
        settings=settings,
    )


def _planned_or_none(typed: Typed) -> Sequence[Plan]:
    try:
        return planned(typed)
    except GatedError:
        return ()


def _problem(key: str, text: str, typed: Typed, runs: Path) -> str:
    """What is wrong with one field by itself, or nothing."""
    try:
        match key:
            case "unit":
                planning.check_unit(text)
            case "data":
                catalogue.entry(text)
            case "model":
                modelfile.load(text)
            case "recipe":
                recipes.recipe(text)
            case "name":
                units = UNITS if typed.get("unit") == "all" else ()
                for name in [f"{text}-{unit}" for unit in units] or [text]:
                    folders.check_free(runs, name)
            case _:
                config.build(dict([config.parse_setting(f"{key}={text}")]))
    except GatedError as error:
        return error.what if len(error.what) > 12 else f"{error.what} {error.hint}"
    return ""


def names_of(plans: Sequence[Plan], name: str | None, runs: Path) -> list[str]:
    """What the runs will be called."""
    if name is not None:
        return [f"{name}-{plan.config.model.unit}" for plan in plans] if len(plans) > 1 else [name]
    return [folders.free_name(runs, plan.config.model.unit, plan.config.data.name) for plan in plans]


def _entries() -> list[catalogue.Entry]:
    try:
        return catalogue.every()
    except GatedError:  # a damaged list of imports: its own command says so
        return [entry for entry in catalogue.CATALOGUE.values() if not entry.hidden]


def _is_ready(data: DataConfig) -> bool:
    try:
        return catalogue.cache_file(data.name, cache=paths.cache_folder(), rate_hz=data.rate_hz).exists()
    except GatedError:
        return False


def command(typed: Typed, runs: Path) -> list[str]:
    """The command line that starts the same runs, as words."""
    words = planning.command(typed)
    return [*words, "--runs", str(runs)] if runs != paths.runs_folder() else words


def wrapped(words: Sequence[str], width: int) -> list[str]:
    """A command line on lines of at most `width` cells, ready to be pasted: lines that go on end in a backslash, and an
    option stays with its value."""
    quoted = [shlex.quote(word) for word in words]
    parts: list[str] = []
    for word in quoted:
        if parts and parts[-1].startswith("--") and " " not in parts[-1] and not word.startswith("--"):
            parts[-1] += f" {word}"
        else:
            parts.append(word)
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + 1 + len(part) + 2 <= width:
            lines[-1] += f" {part}"
        else:
            lines.append(part if not lines else f"  {part}")
    return [f"{line} \\" for line in lines[:-1]] + lines[-1:]


def like(old: RunConfig) -> dict[str, str]:
    """The form that leads to an old run's config: what differs from its unit's, data's and recipe's defaults."""
    try:
        return planning.typed(old)
    except GatedError:  # a recipe or data set this version does not know
        return planning.typed(old, ("unit",))
