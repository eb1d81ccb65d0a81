"""Following events: whole lines only, cuts noticed, every event once, and an end to it."""

import io
import os
import random
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gatedtui import events
from gatedtui.config import RunConfig
from gatedtui.events import Epoch, Event, Finished, Resumed, Saved, Started, Step, Stopped
from gatedtui.runs.folder import RunFolder, create
from gatedtui.runs.follow import Batch, Lines, Tail, follow
from gatedtui.runs.lock import held


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return create(tmp_path, "gru-bach-1", RunConfig())


def append(run: RunFolder, *happened: Event, end: str = "") -> None:
    with run.events_path.open("a") as file:
        file.write("".join(events.to_line(event) for event in happened) + end)


def epochs(*numbers: int) -> list[Event]:
    return [Epoch(epoch=n, valid_nll=9.0 - n / 100, train_nll=1.0, time=f"t{n}") for n in numbers]


def numbers(happened: list[Event]) -> list[int]:
    return [event.epoch for event in happened if isinstance(event, Epoch)]


def drained(lines: Lines, file: io.BytesIO, kept: list[int]) -> list[int]:
    """What a reader that forgets at each reset knows after reading all there is."""
    more = True
    while more:
        batch = lines.read(file)
        if batch.reset:
            kept.clear()
        kept += [event.updates for event in batch.events if isinstance(event, Step)]
        more = batch.more
    return kept


def test_ten_thousand_half_lines_and_cuts_lose_and_double_nothing():
    dice = random.Random(1)
    file, lines, kept, pending, written = io.BytesIO(), Lines(limit=300), [], b"", 0
    for turn in range(10_000):
        content = file.getvalue()
        choice = dice.random()
        if choice < 0.05:  # a resume: back to some line's end, then on; sometimes past the old length at once
            ends = [0] + [i + 1 for i, byte in enumerate(content) if byte == 10]
            file.truncate(dice.choice(ends[-8:]))
            pending = b""
        elif choice < 0.06:
            file.truncate(dice.randrange(len(content) + 1))  # a disk that lost its end, amid a line
            pending = b"\n"
        elif choice < 0.07:
            file, pending = io.BytesIO(b""), b""  # removed and made anew
        for _ in range(dice.randrange(4)):
            if not pending:
                written += 1
                pending = events.to_line(Step(updates=written, time=f"{turn}")).encode()
            cut = dice.choice([len(pending), dice.randrange(len(pending) + 1)])
            file.seek(0, 2)
            file.write(pending[:cut])
            pending = pending[cut:]
        if dice.random() < 0.7:
            drained(lines, file, kept)
        if dice.random() < 0.1:
            whole = file.getvalue().split(b"\n")[:-1]
            assert drained(lines, file, kept) == [
                e.updates for line in whole if isinstance(e := events.from_line(line), Step)
            ]
    assert written > 7_000


def test_only_whole_lines_are_given(run: RunFolder):
    tail = Tail(run)
    assert tail.read() == Batch(False, [])
    line = events.to_line(epochs(1)[0])
    append(run, end=line[:20])
    assert tail.read() == Batch(False, [])
    append(run, end=line[20:-1])
    assert tail.read() == Batch(False, [])
    append(run, end="\n")
    assert numbers(tail.read().events) == [1]
    assert tail.read() == Batch(False, [])


def test_a_character_cut_in_two_is_put_together(run: RunFolder):
    line = events.to_line(Started(run="größe", time="t")).encode()
    at = line.index("ö".encode()) + 1
    tail = Tail(run)
    run.events_path.write_bytes(line[:at])
    assert tail.read().events == []
    with run.events_path.open("ab") as file:
        file.write(line[at:])
    (started,) = tail.read().events
    assert isinstance(started, Started) and started.run == "größe"


def test_lines_that_are_no_events_are_passed_over(run: RunFolder):
    run.events_path.write_bytes(
        b"\xff\x00\n\n[]\nnull\n{}\n" + b'{"event":"x"}\n' + events.to_line(epochs(1)[0]).encode()
    )
    assert numbers(Tail(run).read().events) == [1]


def test_a_cut_that_grew_past_the_old_end_is_noticed(run: RunFolder):
    append(run, Started(time="t0"), *epochs(1, 2, 3, 4))
    tail = Tail(run)
    assert numbers(tail.read().events) == [1, 2, 3, 4]
    lines = run.events_path.read_text().splitlines(keepends=True)
    run.events_path.write_text("".join(lines[:3]))
    append(run, Resumed(time="t9"), *[Epoch(epoch=n, valid_nll=9.0 - n / 100, time=f"s{n}") for n in range(3, 9)])
    batch = tail.read()
    assert batch.reset and numbers(batch.events) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert not tail.read().reset


def test_a_file_that_vanishes_is_a_reset_once(run: RunFolder):
    append(run, *epochs(1))
    tail = Tail(run)
    tail.read()
    shutil.rmtree(run.path)
    assert tail.read() == Batch(True, [])
    assert tail.read() == Batch(False, [])


def test_one_read_does_bounded_work(run: RunFolder):
    append(run, *epochs(*range(1, 10_001)))
    tail, kept, reads, more = Tail(run), [], 0, True
    while more:
        batch = tail.read()
        more, reads = batch.more, reads + 1
        kept += numbers(batch.events)
        assert len(batch.events) < 4_000
    assert kept == list(range(1, 10_001)) and reads > 5


def test_a_line_longer_than_a_read_does_not_stall(run: RunFolder):
    append(run, *epochs(1), end="#" * 1_000_000 + "\n")
    append(run, *epochs(2))
    tail, kept, more = Tail(run), [], True
    while more:
        batch = tail.read()
        kept += numbers(batch.events)
        more = batch.more
    assert kept == [1, 2]


def test_the_rest_of_a_long_line_is_not_taken_for_an_event():
    file = io.BytesIO(b"#" * 2000 + events.to_line(Step(updates=1)).encode() + events.to_line(Step(updates=2)).encode())
    assert drained(Lines(limit=1000), file, []) == [2]


def test_following_ends_with_the_last_run_and_gives_all(tmp_path: Path):
    one, two = (create(tmp_path, name, RunConfig()) for name in ("one", "two"))
    append(one, Started(), *epochs(1, 2), Finished())
    append(two, Started(), *epochs(1), Stopped(), end='{"event":')
    got = list(follow([one, two], poll_s=0.001))
    assert [events.name(event) for run, event in got if run == one] == ["started", "epoch", "epoch", "finished"]
    assert [events.name(event) for run, event in got if run == two] == ["started", "epoch", "stopped"]
    assert list(follow([one, two], poll_s=0.001, from_start=False)) == []
    assert list(follow([], poll_s=0.001)) == []


def test_following_goes_on_while_the_lock_is_held(run: RunFolder):
    taken, done = threading.Event(), threading.Event()

    def work() -> None:
        with held(run.lock_path):
            taken.set()
            append(run, Started())
            for n in range(1, 200):
                append(run, *epochs(n))
            done.wait()
            append(run, *epochs(200), Finished())

    worker = threading.Thread(target=work)
    worker.start()
    taken.wait()
    got = []
    for _, event in follow([run], poll_s=0.001):
        got.append(event)
        if numbers([event]) == [199]:
            done.set()
    worker.join()
    assert numbers(got) == list(range(1, 201)) and isinstance(got[-1], Finished)


def test_following_ends_when_the_worker_dies_without_a_word(run: RunFolder):
    code = """
import sys, time
from pathlib import Path
from gatedtui.events import Epoch, Started, to_line
from gatedtui.runs.lock import held
run = Path(sys.argv[1])
with held(run / "lock"):
    (run / "events.jsonl").write_text(to_line(Started()) + to_line(Epoch(epoch=1)) + '{"event":')
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code, str(run.path)]) as worker:
        got = []
        for _, event in follow([run], poll_s=0.001):
            got.append(events.name(event))
            if got[-1] == "epoch":
                worker.kill()
    assert got == ["started", "epoch"]


def test_following_a_worker_that_dies_before_its_first_event_ends_at_once(run: RunFolder):
    with subprocess.Popen([sys.executable, "-c", ""]) as worker:
        assert list(follow([run], poll_s=0.001, processes={run: worker})) == []


def test_a_resumed_run_is_followed_from_before_its_worker_has_the_lock(run: RunFolder):
    append(run, Started(time="t"), *epochs(1, 2), Stopped(time="t"))
    code = """
import sys, time
from pathlib import Path
from gatedtui.events import Epoch, Finished, Resumed, to_line
from gatedtui.runs.lock import held
sys.stdin.readline()
run = Path(sys.argv[1])
with held(run / "lock"):
    lines = (run / "events.jsonl").read_text().splitlines(keepends=True)
    with (run / "events.jsonl").open("r+") as file:
        file.truncate(len("".join(lines[:2])))
        file.seek(0, 2)
        for event in (Resumed(time="s"), Epoch(epoch=2, time="s"), Epoch(epoch=3, time="s"), Finished(time="s")):
            file.write(to_line(event))
"""
    with subprocess.Popen([sys.executable, "-c", code, str(run.path)], stdin=subprocess.PIPE) as worker:
        assert worker.stdin is not None
        got = []
        for _, event in follow([run], poll_s=0.001, processes={run: worker}):
            got.append(event)
            if isinstance(event, Stopped):
                worker.stdin.write(b"\n")
                worker.stdin.close()
    assert [events.name(event) for event in got] == [
        *("started", "epoch", "epoch", "stopped"),
        *("resumed", "epoch", "epoch", "finished"),
    ]
    assert numbers(got) == [1, 2, 2, 3]  # epoch 1 outlived the cut and is not told twice


def test_every_event_is_told_once_through_two_resumes(run: RunFolder):
    first, second, third = (Saved(epoch=n, time="a") for n in (1, 2, 3))
    once, more = Resumed(epoch=1, time="b"), Saved(epoch=2, time="b")
    twice, last = Resumed(epoch=1, time="c"), Saved(epoch=2, time="c")
    append(run, first, second, third)
    got = []
    with held(run.lock_path):
        for _, event in follow([run], poll_s=0.001, stop=lambda: last in got):
            got.append(event)
            if event == third:
                run.events_path.write_text("")
                append(run, first, once, more)
            elif event == more:
                run.events_path.write_text("")
                append(run, first, once, twice, last)
    assert got == [first, second, third, once, more, twice, last]


def test_following_from_now_tells_only_what_is_new(run: RunFolder):
    append(run, Started(time="t"), *epochs(1, 2))
    with held(run.lock_path):
        following = follow([run], poll_s=0.001, from_start=False, stop=lambda: False)
        timer = threading.Timer(0.05, lambda: append(run, *epochs(3)))
        timer.start()
        _, event = next(following)
        timer.join()
    assert numbers([event]) == [3]


def test_stop_ends_the_following_and_leaves_the_run(run: RunFolder):
    append(run, Started(), *epochs(1, 2, 3))
    got = []
    with held(run.lock_path):
        for _, event in follow([run], poll_s=0.001, stop=lambda: len(got) >= 2):
            got.append(event)
        assert list(follow([run], poll_s=0.001, from_start=False, stop=lambda: True)) == []
    assert len(got) == 2


def test_following_a_run_that_is_removed_ends(run: RunFolder):
    append(run, Started(), *epochs(1))
    got = []
    with held(run.lock_path):
        for _, event in follow([run], poll_s=0.001):
            got.append(event)
            if isinstance(event, Epoch):
                shutil.rmtree(run.path)
    assert len(got) == 2


def test_a_young_run_without_a_worker_is_waited_for(run: RunFolder):
    looks = []

    def stop() -> bool:
        looks.append(1)
        if len(looks) == 5:
            os.utime(run.config_path, (0, 0))  # thirty seconds later
        return False

    assert list(follow([run], poll_s=0.001, stop=stop)) == []
    assert len(looks) >= 5
