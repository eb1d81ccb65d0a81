import dataclasses
from pathlib import Path

import pytest

from gatedtui import config, events
from gatedtui.tui import looks, phrases
from gatedtui.tui.app import GatedApp
from gatedtui.tui.snapshot import Snapshot
from gatedtui.tui.widgets import card

from .conftest import drive, epochs, finished, started, until

INNER = 22
"""Cells inside a card where three stand side by side on 80 columns."""
VOWELS = config.build({"model.unit": "tanh", "model.hidden": 400, "data.name": "vowels"})
SLOW = Snapshot(
    Path("runs/tanh-vowels-1"),
    word="training",
    config=VOWELS,
    started=started(),
    epoch=epochs([9.0, 8.9], seconds=6.0)[-1],
    step=events.Step(updates=58 + 12, epoch=3),
)


def text(spans):
    return "".join(piece for piece, _ in spans)


def test_a_narrow_card_of_a_slow_run_still_says_the_epoch():
    assert text(card.state_line(SLOW, INNER, 0.0, 0)).split()[1:] == ["training", "epoch", "3"]
    assert text(card.state_line(SLOW, 40, 0.0, 0)).endswith("epoch 3 · 41%")


def test_a_card_names_the_longest_bundled_data_set_that_fits_its_border():
    assert card.heading(SLOW, INNER).plain == "▲ tanh 400 · vowels"
    long = dataclasses.replace(SLOW, config=config.build({"model.hidden": 46, "data.name": "nottingham"}))
    assert looks.length([(card.heading(long, INNER).plain, looks.PLAIN)]) <= INNER - 2


def test_a_small_card_of_a_run_at_work_says_how_fast_and_how_long():
    run = dataclasses.replace(SLOW, frames_per_s=643_000.0, time_left_s=4.0)
    assert text(card.foot_lines(run, INNER, 2)[1]).split() == ["643k", "fr/s", "0:04", "left"]


def test_an_error_takes_the_rows_that_no_curve_needs(make_run, runs, screen_text):
    words = "There is no folder of chorales beside the one that was asked for: fetch it first."
    for number in range(6):
        make_run([started(), events.Failed(what=words, hint="gated data fetch")], name=f"run-{number}")

    async def script(pilot):
        await until(pilot, lambda: "for: fetch it" in screen_text(pilot.app))

    drive(GatedApp(runs), script)


@pytest.mark.parametrize("width", [INNER, 58, 78, 118])
def test_the_two_test_figures_stand_beside_each_other(width):
    run = dataclasses.replace(SLOW, word="finished", finished=finished(2, 8.9))
    assert any("test 8.54" in line and "8.52/piece" in line for line in map(text, card.foot_lines(run, width, 6)))


@pytest.mark.parametrize("width", [12, INNER, 200])
def test_a_run_of_which_nothing_is_known_yet_has_no_figures_and_breaks_nothing(width):
    bare = Snapshot(Path("runs/new"), word="starting")
    assert [text(line) for line in card.foot_lines(bare, width, 5)] == [phrases.first_words(bare)]
