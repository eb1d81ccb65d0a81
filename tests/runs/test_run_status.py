"""What a run is doing, from its lock, the end of its events and its age."""

import os
import shutil
from pathlib import Path

import pytest

from gatedtui import events
from gatedtui.config import RunConfig
from gatedtui.events import Diverged, Epoch, Event, Failed, Finished, Resumed, Saved, Started, Step, Stopped
from gatedtui.runs import lock
from gatedtui.runs import status as statuses
from gatedtui.runs.folder import RunFolder, create
from gatedtui.runs.lock import held
from gatedtui.runs.status import Status, status

MADE = 1_000_000.0


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    made = create(tmp_path, "gru-bach-1", RunConfig())
    os.utime(made.config_path, (MADE, MADE))
    return made


def write(run: RunFolder, *happened: Event, end: str = "") -> None:
    run.events_path.write_text("".join(events.to_line(event) for event in happened) + end)


@pytest.mark.parametrize(
    ("last", "word", "can_resume"),
    [
        (Finished(best_epoch=3), "finished", False),
        (Stopped(), "stopped", True),
        (Diverged(), "diverged", False),
        (Failed(what="no data"), "failed", True),
        (Epoch(), "crashed", True),
        (Step(), "crashed", True),
        (Saved(), "crashed", True),
        (Resumed(), "crashed", True),
        (Started(), "crashed", True),
    ],
)
def test_the_last_event_decides_when_nobody_holds_the_lock(run: RunFolder, last: Event, word: str, can_resume: bool):
    write(run, Started(), Epoch(), last)
    assert status(run) == Status(word, can_resume)  # type: ignore[arg-type]
    assert status(run, now=MADE).word == word
    with held(run.lock_path):
        assert status(run) == Status("running", False)
    assert status(run) == Status(word, can_resume)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "content", [None, "", '{"event": "star', "garbage\n\n{}\n", '{"event": "of a later version"}\n']
)
def test_a_run_without_events_is_starting_for_thirty_seconds(run: RunFolder, content: str | None):
    if content is not None:
        run.events_path.write_text(content)
    assert status(run, now=MADE + 29) == Status("starting", False)
    assert status(run, now=MADE + 31) == Status("crashed", True)
    assert status(run, now=MADE - 3600) == Status(
        "crashed", True
    )  # a clock that was put back does not start it for ever


def test_a_terminal_event_before_a_resume_is_history(run: RunFolder):
    write(run, Started(), Stopped(), Resumed())
    assert status(run).word == "crashed"


def test_a_half_written_last_line_does_not_count(run: RunFolder):
    write(run, Started(), Stopped(), end='{"event":"resumed","upd')
    assert status(run).word == "stopped"
    write(run, Started(), Epoch(), end='{"event": "finished"}')  # whole by luck, but its newline has not come
    assert status(run).word == "crashed"


def test_events_of_a_later_version_are_passed_over(run: RunFolder):
    write(run, Started(), Finished(), end='{"event":"polished","time":""}\n\x00\xff\n')
    assert status(run).word == "finished"


def test_only_the_end_of_the_events_is_read(run: RunFolder):
    with run.events_path.open("wb") as file:
        file.truncate(1 << 36)  # 64 GiB, all hole
        file.seek(0, 2)
        file.write(b"\n" + events.to_line(Stopped()).encode())
    assert status(run).word == "stopped"


@pytest.mark.parametrize("spare", [-1, 0, 1])
def test_the_last_event_is_found_where_the_tail_begins(run: RunFolder, spare: int):
    last = events.to_line(Stopped()).encode()
    filler = b"#" * (statuses.TAIL - len(last) - 1 + spare) + b"\n"
    run.events_path.write_bytes(events.to_line(Started()).encode() + last + filler)
    assert status(run).word == ("stopped" if spare < 0 else "crashed")


def test_a_vanished_run_raises_nothing(run: RunFolder, tmp_path: Path):
    write(run, Started(), Finished())
    run.events_path.unlink()
    assert status(run, now=MADE + 60) == Status("crashed", True)
    shutil.rmtree(run.path)
    assert status(run) == Status("crashed", False)
    (tmp_path / "file").write_text("")
    assert status(RunFolder(tmp_path / "file")) == Status("crashed", False)


def test_a_run_that_ends_while_it_is_looked_at_is_never_called_crashed(run: RunFolder, monkeypatch: pytest.MonkeyPatch):
    write(run, Started(), Epoch())
    answers = iter([False, False])

    def looked(_: Path) -> bool:
        answer = next(answers)
        if len(list_of_looks) == 1:
            write(run, Started(), Epoch(), Finished())
        list_of_looks.append(answer)
        return answer

    list_of_looks: list[bool] = []
    monkeypatch.setattr(lock, "is_held", looked)
    assert status(run).word == "finished"


def test_a_worker_that_takes_the_lock_while_it_is_looked_at_is_running(run: RunFolder, monkeypatch: pytest.MonkeyPatch):
    write(run, Started())
    answers = iter([False, True])
    monkeypatch.setattr(lock, "is_held", lambda _: next(answers))
    assert status(run).word == "running"
