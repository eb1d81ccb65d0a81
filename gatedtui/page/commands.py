"""The commands that make a run and a report again."""

from gatedtui import config as configs
from gatedtui import plan
from gatedtui.config import RunConfig
from gatedtui.errors import GatedError

FLAGS = {"train.epochs": "--epochs", "train.lr": "--lr", "seed": "--seed", "train.device": "--device"}
"""Keys that `gated train` has a flag of its own for."""
SAID = ("model.unit", "data.name", "train.recipe")


def train(config: RunConfig, name: str) -> tuple[str, ...]:
    """The words of `gated train` that start this run: what differs from unit, data and recipe is typed.

    Args:
        config: the run's.
        name: what it is called; empty leaves it to the command.
    """
    unit, data, recipe = config.model.unit, config.data.name, config.train.recipe
    words = ["gated", "train", "--unit", unit, "--data", data, "--recipe", recipe]
    try:
        plain = configs.flat(plan.plan(unit=unit, data=data, recipe=recipe)[0].config)
    except GatedError:  # a folder that is gone, a recipe of a later version: then everything is typed
        plain = {}
    for key, value in configs.flat(config).items():
        if key in SAID or (key != "seed" and plain.get(key) == value):
            continue
        text = f"{value:.12g}" if isinstance(value, float) else str(value)
        words += [FLAGS[key], text] if key in FLAGS else ["--set", f"{key}={text}"]
    return (*words, "--name", name) if name else tuple(words)
