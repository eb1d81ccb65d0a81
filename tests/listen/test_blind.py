import json
from collections import Counter

import numpy as np
import pytest
from scipy.stats import binomtest

from gatedtui.errors import BadArgument, BadSource
from gatedtui.listen import blind, results
from gatedtui.listen.blind import Answer, Trial
from gatedtui.listen.items import Item


@pytest.mark.parametrize("count", [1, 2, 7, 10, 31])
def test_the_tests_are_the_exact_binomial_ones(count):
    for successes in range(count + 1):
        assert blind.at_least(successes, count) == pytest.approx(
            binomtest(successes, count, 0.5, alternative="greater").pvalue
        )
        assert blind.two_sided(successes, count) == pytest.approx(binomtest(successes, count, 0.5).pvalue)


def test_nothing_was_asked_shows_nothing():
    assert blind.at_least(0, 0) == blind.two_sided(0, 0) == 1.0


def test_the_order_comes_from_the_seed():
    one, same, other = (blind.trials("abx", 20, [False, False], seed=seed) for seed in (1, 1, 2))
    assert one == same != other


@pytest.mark.parametrize("seed", range(5))
def test_sides_and_x_are_balanced(seed):
    order = blind.trials("abx", 24, [False, False, False], excerpts=3, seed=seed)
    assert Counter(frozenset((t.a, t.b)) for t in order) == {frozenset(p): 8 for p in ((0, 1), (0, 2), (1, 2))}
    assert Counter(t.right for t in order) == {"a": 12, "b": 12}
    assert Counter(t.excerpt for t in order) == {0: 8, 1: 8, 2: 8}
    assert all(t.x == (t.a if t.right == "a" else t.b) for t in order)
    assert sum(t.a < t.b for t in order) == 12


def test_which_is_real_pairs_the_real_one_with_each_other():
    order = blind.trials("real", 8, [False, True, False], seed=3)
    assert all(1 in (t.a, t.b) and t.x is None for t in order)
    assert all((t.right == "a") == (t.a == 1) for t in order)
    for kinds in ([False, False], [True, True]):
        with pytest.raises(BadArgument, match="real"):
            blind.trials("real", 8, kinds)
    with pytest.raises(BadArgument, match="two things"):
        blind.trials("abx", 8, [False])


def test_right_answers_are_counted_and_tested():
    order = blind.trials("real", 10, [True, False, False], seed=1)
    wrong = {"a": "b", "b": "a"}
    answers = [Answer(t, t.right if number < 8 else wrong[t.right], 1.0) for number, t in enumerate(order)]
    found = blind.results("real", answers, ["bach", "gru", "tanh"])
    assert (found["correct"], found["trials"]) == (8, 10)
    assert found["p_value"] == pytest.approx(binomtest(8, 10, alternative="greater").pvalue)
    assert sum(told["trials"] for told in found["told_apart"].values()) == 10
    assert set(found["told_apart"]) == {"gru", "tanh"}


def test_preferences_are_counted_by_pair_whatever_side_they_stood_on():
    trials = [Trial(0, 0, 1, None, ""), Trial(0, 1, 0, None, ""), Trial(0, 0, 2, None, "")]
    answers = [Answer(trials[0], "b", 1.0), Answer(trials[1], "a", 1.0), Answer(trials[2], "a", 1.0)]
    found = blind.results("prefer", answers, ["x", "y", "z"])
    assert found["pairs"] == [
        {"pair": ["x", "y"], "chosen": [0, 2], "p_value": 0.5},
        {"pair": ["x", "z"], "chosen": [1, 0], "p_value": 1.0},
    ]
    assert found["share"] == {"x": 1 / 3, "y": 1.0, "z": 0.0}


def items(labels, kind="model"):
    return [Item(label, kind, np.zeros((10, 2), np.float32), 8000, f"about {label}") for label in labels]


def test_sessions_are_added_to_the_file_and_never_lost(tmp_path):
    path = tmp_path / "r.json"
    order = blind.trials("abx", 4, [False, False], seed=1)
    answers = [Answer(t, t.right, 2.34) for t in order[:3]]
    for _ in range(2):
        results.add(path, results.session("abx", answers, [items("ab")], asked=4, seed=1, how="sounddevice"))
    first, second = json.loads(path.read_text())["sessions"]
    assert first["items"] == ["a", "b"]
    assert (first["complete"], first["seed"], len(first["trials"])) == (False, 1, 3)
    assert first["trials"][0] | {"answer": "a", "right": "a", "correct": True, "seconds": 2.3} == first["trials"][0] | {
        "answer": "a",
        "right": "a",
    }
    assert second["result"] == {"correct": 3, "trials": 3, "p_value": 0.125}
    assert [found.name for found in tmp_path.iterdir()] == ["r.json"]


def test_another_file_of_that_name_is_refused_and_kept(tmp_path):
    path = tmp_path / "r.json"
    for content in ("[1]", "{", '{"sessions": 3, "format": 1}', "\x00"):
        path.write_text(content)
        with pytest.raises(BadSource, match="does not hold blind tests"):
            results.read(path)
        assert path.read_text() == content
    assert results.read(tmp_path / "new.json") == []


def test_several_excerpts_of_a_set_are_one_thing():
    excerpts = [[*items(["bach:3"], "real"), *items(["gru"])], [*items(["bach:4"], "real"), *items(["gru"])]]
    assert results.session("real", [], excerpts, asked=1, seed=1, how="")["items"] == ["bach", "gru"]
    assert results.session("real", [], excerpts[:1], asked=1, seed=1, how="")["items"] == ["bach:3", "gru"]
