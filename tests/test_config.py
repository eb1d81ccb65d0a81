import math

import pytest

from gatedtui import config
from gatedtui.config import RunConfig
from gatedtui.errors import BadArgument


def test_a_config_survives_its_toml():
    changed = config.build({"model.unit": "lstm", "train.lr": 3e-3, "data.name": 'a "quoted" \\ folder/ü', "seed": 7})
    assert config.from_toml(config.to_toml(changed)) == changed
    assert config.from_toml(config.to_toml(RunConfig())) == RunConfig()


def test_a_setting_is_read_as_its_keys_type():
    assert config.parse_setting("train.lr=1e-3") == ("train.lr", 1e-3)
    assert config.parse_setting("batch=16") == ("train.batch", 16)
    assert config.parse_setting("seed=3") == ("seed", 3)
    assert config.parse_setting("data.name=a=b") == ("data.name", "a=b")


@pytest.mark.parametrize("text", ["lr", "=3", "train.lr=fast", "batch=1.5", "train.lrr=1"])
def test_a_broken_setting_is_named(text: str):
    with pytest.raises(BadArgument) as caught:
        config.parse_setting(text)
    assert any(part and part in caught.value.what for part in text.split("="))
    assert caught.value.hint


def test_an_unknown_key_gets_the_nearest_one():
    with pytest.raises(BadArgument) as caught:
        config.find_key("train.lrate")
    assert "train.lr" in caught.value.hint


def test_all_problems_are_told_at_once():
    with pytest.raises(BadArgument) as caught:
        config.build({"train.lr": math.nan, "model.unit": "grv", "nothing": 1, "train.batch": 0, "train.epochs": "9"})
    for word in ("nan", "'grv'", "did you mean 'gru'", "'nothing'", "train.batch", "train.epochs"):
        assert word in caught.value.what


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, -1.0, 0.0])
def test_no_learning_rate_but_a_positive_finite_one(value: float):
    with pytest.raises(BadArgument):
        config.build({"train.lr": value})


def test_text_that_is_not_toml_is_refused():
    with pytest.raises(BadArgument, match="not TOML"):
        config.from_toml("seed = = 1")
