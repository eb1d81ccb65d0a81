import math

import pytest

from gatedtui.errors import BadArgument
from gatedtui.sweep import space
from gatedtui.sweep.space import Space


def test_a_space_is_read_and_written_alike():
    for text in ("train.lr=log(0.0001,0.01)", "train.noise=uniform(0,0.1)", "train.batch=choice(8,16,32)"):
        found = space.parse(text)
        assert found is not None and f"{found.key}={found}" == text
        assert space.parse(f"{found.key}={found}") == found
    assert space.parse("lr = log( 1e-4 , 1e-2 )") == Space("train.lr", "log", (1e-4, 1e-2))
    assert space.parse("loss=choice(mean,sum)") == Space("train.loss", "choice", ("mean", "sum"))


@pytest.mark.parametrize("text", ["train.lr=1e-3", "data.name=songs", "lr", "recipe=paper"])
def test_a_plain_setting_is_no_space(text: str):
    assert space.parse(text) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("train.lr=lig(1,2)", "log"),
        ("train.lr=log(1e-2,1e-4)", "not below"),
        ("train.lr=log(0,1)", "train.lr must lie in"),
        ("train.noise=log(0,1)", "no logarithm"),
        ("train.lr=log(1e-4)", "two numbers"),
        ("train.lr=log(1e-4,1e-3,1e-2)", "two numbers"),
        ("train.lr=log(a,b)", "must be a number"),
        ("train.lr=log(nan,1)", "finite"),
        ("train.lr=uniform(1e-4,)", "empty place"),
        ("train.lr=uniform()", "empty place"),
        ("train.lr=log(1e-4,99)", "train.lr must lie in"),
        ("train.batch=uniform(1.5,3)", "whole number"),
        ("train.loss=uniform(mean,sum)", "takes words"),
        ("train.loss=choice(mean,mean)", "twice"),
        ("train.loss=choice(mean,median)", "must be one of"),
        ("train.rate=log(1e-4,1e-2)", "no config key"),
    ],
)
def test_a_space_that_is_none_is_refused_with_a_sentence(text: str, said: str):
    with pytest.raises(BadArgument) as caught:
        space.parse(text)
    assert said in f"{caught.value.what} {caught.value.hint}"


def test_values_lie_within_the_bounds_and_spread_as_named():
    shares = [(k + 0.5) / 1000 for k in range(1000)]
    log = Space("train.lr", "log", (1e-4, 1e-2))
    drawn = [log.at(share) for share in shares]
    assert min(drawn) >= 1e-4 and max(drawn) <= 1e-2
    assert drawn[499] == pytest.approx(1e-3, rel=0.01)
    even = Space("train.noise", "uniform", (0.0, 0.5))
    assert even.at(0.5) == 0.25 and even.at(0.0) == 0.0
    assert even.at(1 - 2**-53) == 0.5


def test_each_whole_number_and_each_choice_is_as_likely():
    shares = [(k + 0.5) / 1200 for k in range(1200)]
    whole = Space("train.batch", "uniform", (1, 4))
    assert [[whole.at(s) for s in shares].count(n) for n in (1, 2, 3, 4)] == [300] * 4
    choice = Space("train.loss", "choice", ("mean", "sum"))
    assert [choice.at(s) for s in shares].count("sum") == 600
    assert {Space("train.batch", "log", (1, 64)).at(s) for s in shares} >= {1, 2, 3, 64}


def test_shares_depend_on_the_words_alone_and_are_the_same_everywhere():
    assert space.share(0, "gru", "jsb", 3, "train.lr") == space.share(0, "gru", "jsb", 3, "train.lr")
    assert len({space.share(0, "gru", "jsb", draw, "train.lr") for draw in range(100)}) == 100
    assert (
        space.share(0, "gru", "jsb", 1, "train.lr") == 0.6253939361038231
    )  # pinned: another version must draw the same
    assert math.isclose(sum(space.share(k) for k in range(4000)) / 4000, 0.5, abs_tol=0.02)
    assert 0 <= space.whole("x") < 2**31
