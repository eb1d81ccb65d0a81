"""Starting workers in sessions of their own, asking them to stop, and children that print JSON."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from gatedtui import errors
from gatedtui.config import RunConfig
from gatedtui.errors import BadArgument, BadSource, GatedError, Interrupted
from gatedtui.runs import launch, lock
from gatedtui.runs.folder import RunFolder, create
from gatedtui.runs.status import status

WORKER = """
import signal, sys, time
from pathlib import Path
from gatedtui.events import Started, Stopped, to_line
from gatedtui.runs.lock import held
run, asked = Path(sys.argv[1]), []
signal.signal(signal.SIGTERM, lambda *_: asked.append(1))
with held(run / "lock"), (run / "events.jsonl").open("a") as file:
    file.write(to_line(Started()))
    print("hello from the worker", flush=True)
    while not asked:
        time.sleep(0.005)
    file.write(to_line(Stopped()))
"""


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return create(tmp_path, "gru-bach-1", RunConfig())


def worker(code: str, run: RunFolder) -> list[str]:
    return [sys.executable, "-c", code, str(run.path)]


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_worker_is_started_watched_and_stopped(run: RunFolder):
    assert not launch.request_stop(run)
    process = launch.start(run, command=worker(WORKER, run))
    try:
        assert launch.wait_until_locked(run, process)
        assert status(run).word == "running" and lock.probe(run.lock_path) == process.pid
        assert os.getsid(process.pid) == process.pid != os.getsid(0)
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == max(5, os.getpriority(os.PRIO_PROCESS, 0))
        assert launch.request_stop(run)
        assert process.wait() == 0
    finally:
        process.kill()
        process.wait()
    assert status(run).word == "stopped" and status(run).can_resume
    assert run.log_path.read_text() == "hello from the worker\n"
    assert not launch.request_stop(run)


def test_a_stop_asked_before_the_worker_has_its_lock_is_not_lost(run: RunFolder):
    process = launch.start(run, command=worker(WORKER, run))
    try:
        assert launch.request_stop(run, process=process)
        assert process.wait() == 0
    finally:
        process.kill()
        process.wait()
    assert status(run).word == "stopped"


def test_the_pid_of_a_lock_nobody_holds_is_not_signalled(run: RunFolder):
    with launch.start(run, command=python("import time; time.sleep(60)")) as bystander:
        run.lock_path.write_text(f"{bystander.pid}\n")
        assert not launch.request_stop(run)
        assert bystander.poll() is None
        bystander.kill()


def test_a_worker_that_dies_at_once_is_not_waited_for(run: RunFolder):
    with launch.start(run, command=python("raise SystemExit('no luck')")) as process:
        assert not launch.wait_until_locked(run, process)
        assert not launch.request_stop(run, process=process)
    assert run.log_path.read_text() == "no luck\n"


def test_a_worker_sees_its_environment_and_no_terminal(run: RunFolder):
    code = "import os, sys; print(os.environ['OMP_WAIT_POLICY'], os.environ.get('COLOUR'), repr(sys.stdin.read()))"
    mine = dict(os.environ) | {"COLOUR": "green"}
    for _ in range(2):
        with launch.start(run, command=python(code), environ=mine) as process:
            process.wait()
    assert run.log_path.read_text() == "PASSIVE green ''\n" * 2
    assert "COLOUR" not in os.environ and mine.keys() - os.environ.keys() == {"COLOUR"}


def test_a_file_in_the_working_folder_is_not_taken_for_a_module(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "queue.py").write_text("raise SystemExit('mine, not Python\\'s')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [one for one in sys.path if one])
    with launch.start(run, command=[sys.executable, "-m", "queue"]) as process:
        assert process.wait() == 0
    assert run.log_path.read_text() == ""


def test_a_worker_that_cannot_be_started_is_an_error_of_ours(run: RunFolder, tmp_path: Path):
    with pytest.raises(GatedError) as caught:
        launch.start(run, command=[str(tmp_path / "no-such-program")])
    assert "no-such-program" in caught.value.what
    with pytest.raises(BadSource):
        launch.start(RunFolder(tmp_path / "none"), command=python(""))


def test_json_of_a_child_is_parsed():
    code = "import json, sys; sys.stderr.write('narration'); print(json.dumps(sys.argv[1:]))"
    assert launch.run_json(["eval", "a b"], command=python(code)) == ["eval", "a b", "--json"]
    assert launch.run_json(["eval", "--json"], command=python(code)) == ["eval", "--json"]


@pytest.mark.parametrize("kind", [BadArgument, BadSource, errors.DeviceError, Interrupted, GatedError])
def test_an_error_of_a_child_is_raised_as_its_own_kind(kind: type[GatedError]):
    lines = "loading …\\nerror: There is no run 'x'.\\n  gated runs list\\n"
    code = f"import sys; sys.stderr.write({lines!r}.encode().decode('unicode_escape')); sys.exit({kind.exit_code})"
    with pytest.raises(GatedError) as caught:
        launch.run_json(["eval", "x"], command=python(code))
    assert type(caught.value) is kind
    assert (caught.value.what, caught.value.hint) == ("There is no run 'x'.", "gated runs list")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("print('not json')", "did not print JSON"),
        ("raise SystemExit(1)", "failed with exit code 1"),
        ("raise RuntimeError('bad luck')", "bad luck"),
        ("import os; os.kill(os.getpid(), 9)", "killed by signal 9"),
    ],
)
def test_a_child_that_fails_otherwise_is_told_in_one_sentence(code: str, said: str):
    with pytest.raises(GatedError) as caught:
        launch.run_json(["gates", "x"], command=python(code))
    assert "'gated gates x'" in caught.value.what and said in caught.value.what
    assert "\n" not in caught.value.what


def test_much_output_does_not_stall_a_child():
    code = "import sys; sys.stderr.write('x' * 1_000_000); print('[' + '1,' * 1_000_000 + '1]')"
    assert len(launch.run_json([], command=python(code))) == 1_000_001


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> "list[subprocess.Popen[Any]]":
    """The processes that were started."""
    started: list[subprocess.Popen[Any]] = []
    real = subprocess.Popen

    def popen(*words: Any, **options: Any) -> "subprocess.Popen[Any]":
        started.append(real(*words, **options))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", popen)
    return started


def test_a_child_that_takes_too_long_is_killed(children: "list[subprocess.Popen[Any]]"):
    with pytest.raises(GatedError) as caught:
        launch.run_json(["sample"], command=python("import time; time.sleep(60)"), timeout_s=0.2)
    assert "longer than 0.2 s" in caught.value.what
    assert [child.returncode for child in children] == [-9]


def test_a_cancelled_child_is_killed(children: "list[subprocess.Popen[Any]]"):
    cancelled = threading.Event()
    threading.Timer(0.1, cancelled.set).start()
    with pytest.raises(Interrupted):
        launch.run_json(["sample"], command=python("import time; time.sleep(60)"), cancelled=cancelled.is_set)
    assert [child.returncode for child in children] == [-9]
