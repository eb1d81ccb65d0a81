import dataclasses
import math
from pathlib import Path

import pytest

from gatedtui import config, events
from gatedtui.tui import looks, phrases
from gatedtui.tui.snapshot import Snapshot

from .conftest import epochs, finished, started

WHY = "the fastest kernel for this unit on a CPU, the avx512 build, the widest this CPU can run"
CONFIG = config.build({"model.unit": "gru", "model.hidden": 46, "data.name": "jsb"})
RUN = Snapshot(
    Path("runs/gru-jsb-1"),
    word="training",
    config=CONFIG,
    started=started(kernel_why=WHY),
)


def words(spans):
    return "".join(piece for piece, _ in spans)


def at_epoch(count, word="training", **changes):
    done = epochs([9.0] * count)
    return dataclasses.replace(RUN, word=word, epoch=done[-1], best=done[0], valid=(9.0,) * count, **changes)


@pytest.mark.parametrize(
    ("run", "text"),
    [
        (dataclasses.replace(RUN, word="starting"), "starting… 0:05"),
        (RUN, "first epoch 0:05"),
        (at_epoch(48), "epoch 48"),
        (at_epoch(90, "finished"), "done in 0:09"),
        (at_epoch(48, "stopped"), "stopped @48"),
        (at_epoch(48, "diverged"), "diverged @48"),
        (at_epoch(48, "crashed"), "crashed"),
        (at_epoch(48, "stopping"), "stopping…"),
    ],
)
def test_every_state_is_a_sign_and_words(run, text):
    sign, said = phrases.state(run, 5.0, 0)
    assert said[0].strip() == text
    assert len(sign[0]) == 1


def test_the_sign_of_a_run_at_work_moves():
    assert phrases.state(RUN, 5.0, 0)[0] != phrases.state(RUN, 5.0, 1)[0]
    assert phrases.state(at_epoch(3, "finished"), 5.0, 0)[0] == phrases.state(at_epoch(3, "finished"), 5.0, 1)[0]


def test_slow_epochs_say_how_far_they_are():
    last = epochs([9.0, 8.9], seconds=6.0)[-1]
    run = dataclasses.replace(RUN, epoch=last, step=events.Step(updates=58 + 12, epoch=3))
    assert phrases.state_words(run, 0.0) == "epoch 3 · 41%"


def test_the_header_says_what_the_runs_share():
    other = dataclasses.replace(RUN, path=Path("runs/lstm-jsb-1"))
    assert phrases.header([RUN, other]) == ["jsb", "recipe paper", "seed 1", "native avx512, 1 thread each"]
    seeded = dataclasses.replace(RUN, config=config.build({"data.name": "jsb", "seed": 2}))
    assert "seed" not in " ".join(phrases.header([RUN, seeded]))


def test_the_header_of_one_run_fits_80_columns_uncut():
    assert looks.pack(phrases.header([RUN]), 71) == "jsb · recipe paper · seed 1 · native avx512, 1 thread"
    assert phrases.kernel(started(kernel="bptt", kernel_why="not native, because the avx2 build is gone")) == "bptt"


def test_speed_and_time_left_stand_before_what_fits_only_larger_cards():
    run = at_epoch(48, frames_per_s=643_000.0, time_left_s=4.0)
    assert [figure.text for figure in phrases.figures(run)][2:4] == ["643k fr/s", "0:04 left"]


def test_titles_are_names_where_units_would_not_tell_the_runs_apart():
    other = dataclasses.replace(RUN, path=Path("runs/gru-jsb-2"))
    assert [words(title) for title in phrases.titles([RUN, other])] == ["● gru-jsb-1", "● gru-jsb-2"]
    assert words(phrases.titles([RUN])[0]) == "● gru 46"


def test_the_measure_names_guessing_for_music_and_density_for_sound():
    assert "11.09 = guessing each pitch by its frequency" in phrases.measure([RUN])
    speech = dataclasses.replace(RUN, config=config.build({"model.head": "mixture"}))
    assert "below zero is right" in " ".join(phrases.measure([speech]))
    assert "pitch" not in " ".join(phrases.measure([speech]))


@pytest.mark.parametrize("kind", events.KINDS.values())
def test_every_event_has_a_line_in_the_log(kind):
    line = phrases.log_line(kind())
    assert events.name(kind()) in line
    assert "\n" not in line


def test_what_a_failure_says_cannot_write_to_the_terminal():
    line = phrases.log_line(events.Failed(what="bad\x1b[2J\nfile"))
    assert line.isprintable()


def test_news_is_told_once_when_a_run_ends():
    ended = dataclasses.replace(at_epoch(9, "finished"), finished=finished(9, 8.4))
    assert phrases.news(RUN, ended) == "gru-jsb-1 finished, test 8.54"
    assert phrases.news(ended, ended) == ""
    assert phrases.news(None, ended) == ""
    assert "NaN" in phrases.news(RUN, at_epoch(9, "diverged", problem="The loss became NaN."))


def test_nothing_is_said_of_numbers_that_are_not_there():
    bare = Snapshot(Path("x"), started=events.Started(marginal_nll=math.nan, paper_nll=None))
    assert (phrases.best(bare), phrases.paper(bare), phrases.test(bare), phrases.valid(bare)) == ("", "", "", "–")
    assert bare.best_index is None and bare.share_of_epoch is None
