import base64
import re

import pytest

from gatedtui.listen import blind as tests
from gatedtui.page import blind
from gatedtui.page.sealed import unseal


@pytest.fixture
def order():
    return tests.trials("abx", 6, [True, False, False, False], excerpts=2, seed=3)


@pytest.fixture
def page(order, clips):
    return blind.page("abx", order, [clips, clips[::-1]], seed=3)


def test_no_name_is_in_the_page_in_any_plain_form(page, clips):
    for one in clips:
        for word in (one.item.label, one.item.source, one.item.label.removesuffix("-run")):
            for form in (word, word[::-1], base64.b64encode(word.encode()).decode().rstrip("=")):
                assert form not in re.sub(
                    r'="data:[^"]*"|<script>.*?</script>|<style>.*?</style>', "", page, flags=re.S
                )
    assert '"right"' not in page and "gated sample" not in page


def test_what_is_sealed_leads_to_the_right_sounds(page, page_data, sounds, clips, order):
    about = page_data(page)["player-1-data"]
    trials, names = unseal(about["order"]), unseal(about["names"])
    heard = sounds(page)
    sets = [clips, clips[::-1]]
    assert len(heard) == 8 and len(trials) == len(order) == 6
    for told, trial in zip(trials, order, strict=True):
        assert (told["excerpt"], told["a"], told["b"], told["x"], told["right"]) == (
            *(trial.excerpt, trial.a, trial.b, trial.x, trial.right),
        )
        for letter in "abx":
            own = sets[trial.excerpt][getattr(trial, letter)].audio
            assert base64.b64decode(own.partition(",")[2]) == heard[told["play"][letter]]
    assert names["labels"] == ["jsb", "tanh-run", "lstm-run", "gru-run"]
    assert names["clips"][1][0]["label"] == "gru-run"


def test_the_clips_stand_in_an_order_of_their_own(page, sounds, clips):
    given = [base64.b64decode(one.audio.partition(",")[2]) for one in [*clips, *clips[::-1]]]
    assert sorted(sounds(page)) == sorted(given)
    assert sounds(page) != given


def test_another_seed_is_another_page_and_the_same_one_the_same(page, order, clips):
    assert blind.page("abx", order, [clips, clips[::-1]], seed=3) == page
    assert blind.page("abx", order, [clips, clips[::-1]], seed=4) != page


def test_no_picture_tells_the_clips_apart(page):
    assert "<svg" not in page and "<img" not in page


def test_the_question_is_the_tasks(clips):
    order = tests.trials("real", 2, [True, False, False, False], seed=1)
    made = blind.page("real", order, [clips], seed=1)
    assert "Which one is Bach?" in made and "A blind test of 2 trials." in made
