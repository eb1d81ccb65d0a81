from pathlib import Path

import pytest

from gatedtui import config as configs
from gatedtui import plan as plans
from gatedtui.errors import BadArgument, BadSource
from gatedtui.plan import plan


def only(**words: object):
    (found,) = plan(**words)  # type: ignore[arg-type]
    return found.config


def test_without_a_word_it_is_the_papers_gru_on_bach():
    config = only()
    assert (config.model.unit, config.model.hidden, config.data.name, config.train.recipe) == (
        "gru",
        46,
        "bach",
        "paper",
    )


def test_all_is_one_plan_a_unit_at_the_papers_sizes():
    sizes = {found.config.model.unit: found.config.model.hidden for found in plan(unit="all")}
    assert sizes == {"tanh": 100, "lstm": 36, "gru": 46}


def test_a_flag_beats_a_recipe_which_beats_a_model_file_which_beats_a_default(tmp_path: Path):
    path = tmp_path / "mine.toml"
    path.write_text('[model]\nunit = "lstm"\nhidden = 12\n[train]\nlr = 0.5\ntruncate = 7\n')
    config = only(model=str(path), recipe="modern", settings=["batch=3"], flags={"train.epochs": 9})
    assert (config.model.unit, config.model.hidden) == ("lstm", 12)
    assert config.train.truncate == 7  # the model file's, since no recipe says
    assert config.train.lr == 5e-3  # the recipe's
    assert (config.train.batch, config.train.epochs) == (3, 9)  # typed
    assert config.train.threads == 1  # the default


def test_a_typed_flag_beats_a_setting():
    assert only(settings=["lr=0.1"], flags={"train.lr": 0.2}).train.lr == 0.2


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ({"unit": "grv"}, "gru"),
        ({"data": "bahc"}, "bach"),
        ({"recipe": "papr"}, "paper"),
        ({"model": "music-gro"}, "music-gru"),
        ({"settings": ["train.lrr=1"]}, "train.lr"),
    ],
)
def test_unknown_names_offer_the_nearest(words: dict[str, object], value: str):
    with pytest.raises(BadArgument) as caught:
        only(**words)
    assert value in caught.value.hint


def test_a_unit_that_contradicts_the_model_is_refused():
    with pytest.raises(BadArgument, match="'lstm'"):
        only(unit="gru", model="music-lstm")
    with pytest.raises(BadArgument, match="contradicts"):
        only(unit="gru", settings=["model.unit=lstm"])
    with pytest.raises(BadArgument):
        plan(unit="all", model="music-lstm")


def test_a_model_files_missing_path_is_a_bad_source():
    with pytest.raises(BadSource):
        only(model="nowhere/x.toml")


def test_a_typed_recipe_or_data_set_beats_a_setting_whole():
    both = {"settings": ["train.recipe=modern", "data.name=jsb"]}
    assert only(recipe="paper", data="tiny", **both) == only(recipe="paper", data="tiny")
    assert only(**both) == only(recipe="modern", data="jsb")


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ({"settings": ["head=mixture"]}, "model.head='mixture' is not for music"),
        ({"data": "vowels", "settings": ["head=bernoulli"]}, "model.head='bernoulli' is not for speech"),
        ({"settings": ["window=1"]}, "data.window='1'"),
        ({"data": "vowels", "settings": ["window=20"]}, "data.window='20'"),
    ],
)
def test_what_does_not_fit_the_data_is_refused_before_anything_is_made(words: dict[str, object], value: str):
    with pytest.raises(BadArgument, match=value):
        plan(**words)  # type: ignore[arg-type]


def test_what_is_wrong_with_several_settings_is_said_at_once():
    with pytest.raises(BadArgument) as error:
        plan(settings=["lr=abc", "foo=2", "hidden=xyz"])
    assert all(word in error.value.what for word in ("'abc'", "'foo'", "'xyz'"))


def test_a_variant_is_a_unit_like_the_three_and_has_the_default_sizes_where_no_model_file_is_bundled():
    assert only(unit="lstm-coupled").model == plan(model="music-lstm-coupled")[0].config.model
    spoken = only(unit="lstm-coupled", data="speech-a").model
    assert (spoken.unit, spoken.head, spoken.hidden) == ("lstm-coupled", "mixture", configs.ModelConfig().hidden)


def understood(words: list[str]):
    """What `gated train` makes of such words."""
    flags, settings, named = {}, [], {}
    keys = {flag: key for key, flag in plans.FLAGS.items()}
    for flag, value in zip(words[2::2], words[3::2], strict=True):
        if flag == "--set":
            settings.append(value)
        elif flag in keys:
            flags.update([configs.parse_setting(f"{keys[flag]}={value}")])
        else:
            named[flag.removeprefix("--")] = value
    return only(settings=settings, flags=flags, **named)


@pytest.mark.parametrize(
    "values",
    [
        {"model.unit": "lstm", "data.name": "jsb"},
        {"model.unit": "gru", "data.name": "speech-a", "train.recipe": "modern", "seed": 7},
        {"model.unit": "tanh", "data.name": "tiny", "train.lr": 0.1 / 3, "train.epochs": 3, "model.hidden": 7},
        {"model.unit": "gru-no-reset", "data.name": "jsb", "train.lr": 1.23456789e-3},
        {"model.unit": "lstm-no-forget", "data.name": "speech-a", "train.recipe": "modern"},
        {"model.unit": "lstm", "model.head": "nade", "data.name": "jsb"},
    ],
)
def test_the_command_that_starts_a_run_again_means_the_same_config(values):
    recipe = str(values.get("train.recipe", "paper"))
    start = only(unit=values["model.unit"], data=values["data.name"], recipe=recipe)
    wanted = configs.build(configs.flat(start) | values)
    words = plans.command(plans.again(wanted))
    assert words[:2] == ["gated", "train"]
    assert understood(words) == wanted


def test_only_what_differs_is_typed_and_the_name_comes_last():
    own = only(unit="gru", data="jsb", recipe="paper")
    words = plans.command(plans.again(own) | {"seed": "1", "name": "a b"})
    assert " ".join(words) == "gated train --unit gru --data jsb --recipe paper --seed 1 --name a b"


def test_a_folder_that_is_gone_leaves_every_value_typed():
    words = plans.command(plans.again(configs.build({"data.name": "/no/such/folder"})))
    assert "train.momentum=0.9" in words and words[5] == "/no/such/folder"
