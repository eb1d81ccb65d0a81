"""Training recipes: named settings, each with its source. A typed flag beats a recipe, a recipe beats a model file."""

from dataclasses import dataclass
from typing import Any

from gatedtui.errors import unknown


@dataclass(frozen=True)
class Recipe:
    """A named set of `[train]` values.

    Attributes:
        name: what `--recipe` takes.
        source: where the values come from.
        train: values of the `[train]` table.
    """

    name: str
    source: str
    train: dict[str, Any]


RECIPES = {
    "paper": Recipe(
        "paper",
        "Chung et al. 2014, section 4: RMSProp, weight noise 0.075, gradient norm 1, stop on validation. What the "
        "paper leaves open (momentum, averaging, floor, minibatch) follows the first author's later code and Graves; "
        "measured on JSB: 8.68 / 8.54 / 8.47 nats a frame for tanh / GRU / LSTM.",
        {
            "optimiser": "rmsprop",
            "lr": 1e-3,
            "momentum": 0.9,
            "averaging": 0.95,
            "eps": 1e-4,
            "batch": 8,
            "epochs": 500,
            "patience": 30,
            "noise": 0.075,
            "clip": 1.0,
        },
    ),
    "modern": Recipe(
        "modern",
        "Adam (Kingma and Ba 2015) with the paper's noise and rescaling: the fastest to a given NLL in our first "
        "measurements (JSB, GRU 46: 8.50 nats a frame at lr 3e-3).",
        {
            "optimiser": "adam",
            "lr": 3e-3,
            "momentum": 0.9,
            "averaging": 0.999,
            "eps": 1e-8,
            "batch": 8,
            "epochs": 500,
            "patience": 30,
            "noise": 0.075,
            "clip": 1.0,
        },
    ),
}


def recipe(name: str) -> Recipe:
    """The recipe of this name.

    Raises:
        BadArgument: there is none; the nearest name is offered.
    """
    if name not in RECIPES:
        raise unknown("recipe", name, RECIPES)
    return RECIPES[name]
