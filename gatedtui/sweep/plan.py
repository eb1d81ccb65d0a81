"""What a sweep consists of: the paper's protocol (section 4) as a list of trials, each an ordinary run.

Chung et al. draw ten learning rates `exp(U(-12, -6))` for each unit and data set, train each, and take the one that is
best on validation.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from gatedtui import config, modelfile, paths, plan
from gatedtui.config import RunConfig
from gatedtui.data import catalogue
from gatedtui.errors import BadArgument, unknown
from gatedtui.runs import folder as folders
from gatedtui.sweep import space
from gatedtui.sweep.space import Space

DATA = ("jsb", "nottingham", "muse", "piano")
"""The paper's data sets that can be had (section 4); its two of speech were never published."""
DRAWS = 10
PAPER_SPACE = Space("train.lr", "log", (float(f"{math.exp(-12):.4g}"), float(f"{math.exp(-6):.4g}")))
"""Section 4: learning rates `exp(U(-12, -6))`, as recalled."""
MOST = 100_000
"""Trials of one sweep, at most: each is a folder."""
DONE = ("finished", "diverged")
"""Statuses of trials that are results; every other trial is trained, or goes on, when the sweep is asked for again."""
OWN_FLAGS = {"seed": "--seed", "model.unit": "--unit", "data.name": "--data", "train.recipe": "--recipe"}


@dataclass(frozen=True)
class Sweep:
    """What was asked for, whole: the content of `sweep.toml`.

    Attributes:
        units: the units, in the paper's order, or those of the models.
        data: names of data sets, or whole paths of folders.
        draws: trials for each unit, data set and seed.
        seeds: each repeats the whole protocol with draws and weights of its own.
        recipe: a recipe's name, or "" for the default of each data set's kind.
        models: model files, one a unit, or none for the paper's sizes.
        fixed: settings by dotted key that all trials share.
        spaces: what is drawn, by dotted key.
    """

    units: tuple[str, ...] = plan.UNITS
    data: tuple[str, ...] = DATA
    draws: int = DRAWS
    seeds: tuple[int, ...] = (0,)
    recipe: str = ""
    models: tuple[str, ...] = ()
    fixed: Mapping[str, Any] = field(default_factory=dict)
    spaces: Mapping[str, Space] = field(default_factory=lambda: {PAPER_SPACE.key: PAPER_SPACE})

    def slots(self) -> list["Slot"]:
        """All trials by their names alone, in the order they are trained: the first draws of all cells come first, so
        that a sweep cut short has something to say of each."""
        return [Slot(*cell) for cell in product(self.seeds, range(self.draws), self.data, self.units)]

    def drawn(self, slot: "Slot") -> dict[str, Any]:
        """What is a trial's own: its training seed and the values of the swept keys."""
        words = (slot.seed, slot.unit, slot.data, slot.draw)
        values = {key: one.at(space.share(*words, key)) for key, one in self.spaces.items()}
        return {"seed": space.whole(*words, "seed"), **values}


@dataclass(frozen=True)
class Slot:
    """One trial's place in its sweep."""

    seed: int
    draw: int
    data: str
    unit: str

    @property
    def name(self) -> str:
        """The trial's name, that of its run folder: `gru-jsb-s0-d03`."""
        return f"{self.unit}-{folders.short(self.data)}-s{self.seed}-d{self.draw:02d}"


@dataclass(frozen=True)
class Trial:
    """One run of a sweep.

    Attributes:
        slot: its place.
        config: what is trained.
    """

    slot: Slot
    config: RunConfig

    @property
    def name(self) -> str:
        """The name of its run folder."""
        return self.slot.name


def sweep(
    *,
    units: Sequence[str] = (),
    data: Sequence[str] = (),
    draws: int | None = None,
    seeds: Sequence[int] = (),
    recipe: str | None = None,
    models: Sequence[str] = (),
    settings: Sequence[str] = (),
    epochs: int | None = None,
) -> Sweep:
    """From typed words to a sweep; what is not typed is the paper's.

    Args:
        units: `tanh`, `lstm`, `gru` or `all`; none = all, or the models' own.
        data: data sets; none = the paper's of music.
        draws: trials for each unit, data set and seed.
        seeds: seeds of the sweep.
        recipe: a recipe's name.
        models: paths or names of model files, each of another unit, the paper's or a variant.
        settings: `KEY=VALUE` or `KEY=SPACE`, as typed after `--set`.
        epochs: passes over the training set, at most.

    Raises:
        BadArgument: unknown names, bad numbers, or words that contradict one another.
        BadSource: a model file that is not one.
    """
    if models:
        wanted = _model_units(models, units)
    else:
        for one in units:
            if one not in (*plan.UNITS, "all"):
                raise unknown("unit", one, [*plan.UNITS, "all"])
        wanted = [unit for unit in plan.UNITS if not units or unit in units or "all" in units]
    draws = DRAWS if draws is None else draws
    if draws < 1:
        raise BadArgument(f"There must be at least one draw, not '{draws}'.", "gated sweep --draws 10")
    for seed in seeds:
        if seed < 0:
            raise BadArgument(f"A seed is 0 or more, not '{seed}'.", "gated sweep --seed 0")
    fixed, spaces = _settings(settings)
    if epochs is not None:
        fixed["train.epochs"] = epochs
        spaces.pop("train.epochs", None)
    if "train.lr" not in fixed and "train.lr" not in spaces:
        spaces[PAPER_SPACE.key] = PAPER_SPACE
    return Sweep(
        units=tuple(wanted),
        data=tuple(dict.fromkeys(data)) or DATA,
        draws=draws,
        seeds=tuple(dict.fromkeys(seeds)) or (0,),
        recipe=recipe or "",
        models=tuple(models),
        fixed=dict(sorted(fixed.items())),
        spaces=dict(sorted(spaces.items())),
    )


def trials(made: Sweep) -> list[Trial]:
    """Every trial of a sweep with its whole config, in the order they are trained.

    Raises:
        BadArgument: as `plan.plan`; or two data sets would share their trials' names, or there are too many trials.
        BadSource: a folder or model file that is none.
    """
    slots = made.slots()
    if len(slots) > MOST:
        raise BadArgument(f"'{len(slots)}' trials are too many: {MOST} at most.", "Fewer --draws or --seed.")
    base: dict[tuple[str, str], dict[str, Any]] = {}
    model = dict(zip(made.units, made.models, strict=True)) if made.models else {}
    for unit, data in product(made.units, made.data):
        first = made.drawn(Slot(made.seeds[0], 0, data, unit))
        planned = plan.plan(
            unit=unit,
            data=data,
            model=model.get(unit),
            recipe=made.recipe or None,
            flags={**made.fixed, **first},
        )
        base[unit, data] = config.flat(planned[0].config)
    names = [slot.name for slot in slots]
    if len(set(names)) < len(names):
        shared = next(name for name in names if names.count(name) > 1)
        raise BadArgument(f"Two data sets would share the trial '{shared}'.", "Rename one, or gated data import it.")
    return [Trial(slot, config.build(base[slot.unit, slot.data] | made.drawn(slot))) for slot in slots]


def resolved(made: Sweep) -> Sweep:
    """The sweep with folders and model files by their whole paths, so that it goes on from anywhere.

    Raises:
        BadArgument: an unknown data set.
        BadSource: a folder that is none, or holds nothing usable.
    """
    rate_hz = int(made.fixed.get("data.rate_hz", 0))
    names = [catalogue.entry(name, cache=paths.cache_folder(), rate_hz=rate_hz).name for name in made.data]
    models = (str(Path(model).absolute()) if paths.is_path(model) else model for model in made.models)
    return dataclasses.replace(made, data=tuple(dict.fromkeys(names)), models=tuple(models))


def _model_units(models: Sequence[str], units: Sequence[str]) -> list[str]:
    """The models' own units, in the models' order."""
    found: dict[str, str] = {}
    for model in models:
        own = modelfile.load(model).model.unit
        if own in found:
            what = f"'{found[own]}' and '{model}' are both made of '{own}' units, by which a sweep tells trials apart."
            raise BadArgument(what, "Make a sweep for each; gated table NAME NAME shows them together.")
        found[own] = model
    for unit in units:
        if unit not in found:
            made_of = ", ".join(f"'{model}' of '{own}'" for own, model in found.items())
            raise BadArgument(f"No model is made of '{unit}' units: {made_of}.", "Leave out --unit.")
    return list(found)


def _settings(settings: Sequence[str]) -> tuple[dict[str, Any], dict[str, Space]]:
    fixed: dict[str, Any] = {}
    spaces: dict[str, Space] = {}
    for text in settings:
        drawn = space.parse(text)
        key, value = (drawn.key, None) if drawn else config.parse_setting(text)
        if key in OWN_FLAGS:
            raise BadArgument(f"'{key}' is not for --set in a sweep.", f"Write {OWN_FLAGS[key]} instead.")
        if key in fixed or key in spaces:
            raise BadArgument(f"'{key}' is set twice.", "Leave one of the two out.")
        if drawn:
            spaces[key] = drawn
        else:
            fixed[key] = value
    return fixed, spaces
