"""What a run's events add up to."""

import math
from pathlib import Path

import pytest

from gatedtui import events
from gatedtui.config import RunConfig, TrainConfig
from gatedtui.events import Diverged, Epoch, Finished, Resumed, Saved, Started, Step, Stopped
from gatedtui.runs.folder import RunFolder
from gatedtui.runs.history import History, load


def config(epochs: int, patience: int) -> RunConfig:
    return RunConfig(train=TrainConfig(epochs=epochs, patience=patience))


def epoch(n: int, valid: float = 9.0, **more: float) -> Epoch:
    return Epoch(epoch=n, updates=10 * n, valid_nll=valid, train_nll=valid - 1, elapsed_s=2.0 * n, **more)  # type: ignore[arg-type]


def history(*happened: events.Event) -> History:
    total = History()
    for event in happened:
        total.add(event)
    return total


def test_nothing_has_happened_yet():
    empty = History()
    assert (empty.started, empty.step, empty.finished, empty.last, empty.best, empty.last_epoch) == (None,) * 6
    assert not empty.epochs and empty.frames_per_s is None
    assert empty.time_left_s(RunConfig()) is None


def test_events_find_their_places():
    started, step, last = Started(run="a"), Step(updates=15, frames_per_s=300.0), Finished(best_epoch=1)
    total = history(started, epoch(1, 9.0, frames_per_s=200.0), Saved(), step, epoch(2, 8.5), last)
    assert (total.started, total.step, total.finished, total.last) == (started, step, last, last)
    assert list(total.epochs.column("valid_nll")) == [9.0, 8.5] and list(total.epochs.column("train_nll")) == [8.0, 7.5]
    assert repr(total.last_epoch) == repr(epoch(2, 8.5)) and total.frames_per_s == 300.0
    total.clear()
    assert not total.epochs and total.last is total.started is total.best is total.finished is None


@pytest.mark.parametrize(
    ("valid", "best"),
    [
        ([9.0, 8.0, 8.5], 2),
        ([8.0, 8.0, 8.0], 1),
        ([math.nan, 9.0, math.inf], 2),
        ([9.0, math.nan, -math.inf], 1),
        ([-3.0, -5.0, math.nan], 2),
        ([math.nan, math.inf], None),
    ],
)
def test_the_best_epoch_has_the_lowest_finite_validation_nll(valid: list[float], best: int | None):
    total = history(*(epoch(n, nll) for n, nll in enumerate(valid, 1)))
    assert (total.best.epoch if total.best else None) == best
    assert len(total.epochs) == len(valid)


def test_an_epoch_that_comes_again_takes_its_place():
    total = history(Started(), epoch(1, 9.0), epoch(2, 7.0), epoch(3, 8.0), Stopped(), Resumed(epoch=1), epoch(2, 8.5))
    assert [one.epoch for one in total.epochs] == [1, 2] and repr(total.best) == repr(epoch(2, 8.5))
    total.add(epoch(2, 9.5))
    assert repr(total.best) == repr(epoch(1, 9.0))


def test_a_resume_forgets_no_epoch():
    total = history(epoch(1), epoch(2), Step(updates=99), Finished(), Resumed())
    assert len(total.epochs) == 2 and total.finished is None and total.step is None


def test_time_left_is_the_epochs_left_or_fewer_by_patience():
    assert history(epoch(1)).time_left_s(config(5, 0)) == 8.0
    assert history(epoch(1, 8.0), epoch(2, 9.0)).time_left_s(config(100, 3)) == 4.0
    assert history(epoch(1, 8.0), epoch(2, 9.0)).time_left_s(config(3, 30)) == 2.0
    assert history(epoch(1, math.nan)).time_left_s(config(4, 2)) == 6.0


def test_time_left_counts_the_present_epoch_down():
    total = history(epoch(1), epoch(2))
    assert total.time_left_s(config(4, 0)) == 4.0
    total.add(Step(updates=25))
    assert total.time_left_s(config(4, 0)) == 3.0
    total.add(Step(updates=1000))
    assert total.time_left_s(config(4, 0)) == 2.0


def test_time_left_follows_the_recent_speed():
    slow = [Epoch(epoch=n, updates=n, elapsed_s=100.0 * n) for n in range(1, 6)]
    fast = [Epoch(epoch=n, updates=n, elapsed_s=500.0 + (n - 5)) for n in range(6, 21)]
    assert history(*slow, *fast).time_left_s(config(30, 0)) == pytest.approx(10.0)


def test_time_left_is_never_negative_nor_said_of_a_run_that_ended():
    assert history(epoch(7)).time_left_s(config(5, 0)) == 0.0
    assert history(epoch(1, 1.0), epoch(9, 2.0)).time_left_s(config(500, 3)) == 0.0
    assert history(epoch(1), Finished()).time_left_s(config(5, 0)) == 0.0
    assert history(epoch(1), Stopped()).time_left_s(config(5, 0)) is None
    assert history(epoch(1), Diverged()).time_left_s(config(5, 0)) is None
    assert history(epoch(1), Stopped(), Resumed()).time_left_s(config(5, 0)) == 8.0


def test_a_history_is_loaded_whole_from_its_file(tmp_path: Path):
    run = RunFolder(tmp_path)
    assert load(run).last is None
    lines = [events.to_line(epoch(n, 9 - n / 1000)) for n in range(1, 5001)]
    run.events_path.write_text(events.to_line(Started(run="a")) + "".join(lines) + lines[0][:-9])
    loaded = load(run)
    assert len(loaded.epochs) == 5000 and loaded.best is not None and loaded.best.epoch == 5000
    assert loaded.started is not None and loaded.started.run == "a"
