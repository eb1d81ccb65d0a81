import pytest

from gatedtui import config, optim
from gatedtui.errors import BadArgument
from gatedtui.plan import plan
from gatedtui.recipes import RECIPES, recipe

ALL = [(kind, unit) for kind in ("music", "speech") for unit in ("tanh", "lstm", "gru")]


@pytest.mark.parametrize("name", ["paper", "librnn", "modern"])
@pytest.mark.parametrize(("kind", "unit"), ALL)
def test_every_recipe_is_a_config_and_names_its_source(name: str, kind: str, unit: str):
    values = {f"train.{key}": value for key, value in recipe(name).values(kind, unit).items()}
    built = config.build(values)
    assert all(getattr(built.train, key.removeprefix("train.")) == value for key, value in values.items())
    assert len(recipe(name).source) > 40


def test_all_recipes_set_the_same_keys_so_none_keeps_a_model_files():
    assert len({tuple(sorted(one.values(*which))) for one in RECIPES.values() for which in ALL}) == 1


def test_for_speech_each_unit_has_its_own_rate():
    found = {one.config.model.unit: one.config.train for one in plan(unit="all", data="vowels", recipe="modern")}
    assert len({train.lr for train in found.values()}) == 3
    assert found["tanh"].noise == 0 < found["gru"].noise < recipe("paper").train["noise"]
    music = {one.config.model.unit: one.config.train for one in plan(unit="all", data="bach", recipe="modern")}
    assert len({train.lr for train in music.values()}) == 1


def test_only_modern_regularises_beyond_the_paper_and_speech_is_left_as_it_was():
    keys = ("dropout", "transpose", "smoothing")
    for name, one in RECIPES.items():
        for kind, unit in ALL:
            found = [one.values(kind, unit)[key] for key in keys]
            assert all(found) if (name, kind) == ("modern", "music") else not any(found), (name, kind)
    speech = recipe("modern").values("speech", "gru")
    assert (speech["lr"], speech["noise"], speech["batch"], speech["epochs"], speech["patience"]) == (
        *(3e-3, 0.03, 64, 60),
        30,
    )


def test_librnn_is_the_first_authors_later_settings():
    (found,) = plan(unit="gru", data="bach", recipe="librnn")
    train = found.config.train
    assert (train.optimiser, train.momentum, train.averaging) == ("rmsprop", 0.9, 0.95)
    assert train.eps**0.5 == pytest.approx(1e-2)  # the denominator's floor
    assert (train.clip, train.clip_what, train.batch, train.loss) == (1.0, "update", 1, "sum")
    assert (train.lr, train.schedule, train.epochs) == (1e-3, "linear", 500)
    assert optim.rate(train, 0) == 1e-3 and optim.rate(train, 499) == pytest.approx(1e-5)
    assert optim.rate(train, 249) + optim.rate(train, 250) == pytest.approx(1e-3 + 1e-5)


def test_a_constant_rate_and_a_single_epoch_stay_what_they_are():
    assert optim.rate(config.TrainConfig(lr=0.5, epochs=10), 9) == 0.5
    assert optim.rate(config.TrainConfig(lr=0.5, epochs=1, schedule="linear"), 0) == 0.5
    assert optim.rate(config.TrainConfig(lr=0.5, epochs=10, schedule="linear"), 20) == pytest.approx(0.005)


def test_a_recipe_has_values_of_its_own_for_speech():
    (speech,), (music,) = plan(data="vowels", recipe="modern"), plan(data="bach", recipe="modern")
    assert (speech.config.train.lr, speech.config.train.batch) != (music.config.train.lr, music.config.train.batch)
    (typed,) = plan(data="vowels", recipe="modern", settings=["train.batch=3"])
    assert typed.config.train.batch == 3


def test_an_unknown_recipe_offers_the_nearest():
    with pytest.raises(BadArgument) as caught:
        recipe("librn")
    assert "librnn" in caught.value.hint
