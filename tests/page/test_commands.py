import pytest

from gatedtui import config, plan
from gatedtui.page import commands


def resolved(words):
    """What `gated train` makes of such words."""
    flags, settings, named = {}, [], {}
    keys = {flag: key for key, flag in commands.FLAGS.items()}
    for flag, value in zip(words[2::2], words[3::2], strict=True):
        if flag == "--set":
            settings.append(value)
        elif flag in keys:
            flags.update([config.parse_setting(f"{keys[flag]}={value}")])
        else:
            named[flag.removeprefix("--")] = value
    return plan.plan(**{key: named[key] for key in ("unit", "data", "recipe")}, settings=settings, flags=flags)[
        0
    ].config


@pytest.mark.parametrize(
    "values",
    [
        {"model.unit": "lstm", "data.name": "jsb"},
        {"model.unit": "gru", "data.name": "speech-a", "train.recipe": "modern", "seed": 7},
        {"model.unit": "tanh", "data.name": "tiny", "train.lr": 3.14e-5, "train.epochs": 3, "model.hidden": 7},
    ],
)
def test_the_command_means_the_same_config(values):
    recipe = str(values.get("train.recipe", "paper"))
    start = plan.plan(unit=values["model.unit"], data=values["data.name"], recipe=recipe)[0].config
    wanted = config.build(config.flat(start) | values)
    words = commands.train(wanted, "")
    assert words[:2] == ("gated", "train")
    assert resolved(words) == wanted


def test_only_what_differs_is_typed_and_the_name_comes_last():
    own = plan.plan(unit="gru", data="jsb", recipe="paper")[0].config
    words = "gated train --unit gru --data jsb --recipe paper --seed 1 --name a b"
    assert " ".join(commands.train(own, "a b")) == words


def test_a_folder_that_is_gone_leaves_every_value_typed():
    own = config.build({"data.name": "/no/such/folder"})
    words = commands.train(own, "")
    assert "train.momentum=0.9" in words and words[5] == "/no/such/folder"
