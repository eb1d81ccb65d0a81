from pathlib import Path

import pytest

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
