"""The lock: exclusive, honest about its holder, gone with its process, and not disturbed by readers."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gatedtui.errors import BadArgument, BadSource
from gatedtui.runs import lock

HOLD = """
import sys, time
from pathlib import Path
from gatedtui.runs.lock import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""
PARENT = """
import subprocess, sys, time
from pathlib import Path
from gatedtui.runs.lock import held
with held(Path(sys.argv[1])):
    code = "import sys; print('here', flush=True); sys.stdin.read()"
    grandchild = subprocess.Popen([sys.executable, "-c", code], close_fds=False)
    time.sleep(60)
"""
WAIT = """
import sys
from pathlib import Path
from gatedtui.errors import BadSource
from gatedtui.runs import lock
sleep = lock.time.sleep
def tell(seconds):
    print("waiting", flush=True)
    sleep(seconds)
lock.time.sleep = tell
try:
    with lock.held(Path(sys.argv[1])):
        print("held")
except BadSource as error:
    print(error)
"""
PROBE = """
import sys
from pathlib import Path
from gatedtui.runs.lock import is_held
path = Path(sys.argv[1])
print("probing", flush=True)
while path.exists():
    for _ in range(100):
        is_held(path)
"""


def child(code: str, path: Path) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen([sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_the_holder_is_known_while_it_holds(tmp_path: Path):
    path = tmp_path / "lock"
    assert lock.probe(path) is None and not lock.is_held(path)
    with lock.held(path):
        assert lock.is_held(path) and lock.probe(path) == os.getpid()
    assert lock.probe(path) is None and not lock.is_held(path)
    assert path.exists()


def test_a_second_holder_is_told_it_is_already_running(tmp_path: Path):
    run = tmp_path / "my run"
    run.mkdir()
    with lock.held(run / "lock"), pytest.raises(BadArgument) as caught, lock.held(run / "lock", wait_s=0.05):
        pass
    assert "'my run'" in caught.value.what and "already running" in caught.value.what
    assert "gated stop 'my run'" in caught.value.hint
    with lock.held(run / "lock", wait_s=0.0):
        pass


def test_a_killed_holder_lets_go_and_its_pid_is_not_believed(tmp_path: Path):
    path = tmp_path / "lock"
    holder = child(HOLD, path)
    with holder:
        assert lock.probe(path) == holder.pid
        holder.send_signal(signal.SIGKILL)
    assert path.read_text().strip() == str(holder.pid)
    assert lock.probe(path) is None and not lock.is_held(path)
    with lock.held(path):
        assert lock.probe(path) == os.getpid()


def test_readers_in_a_tight_loop_never_keep_the_worker_out(tmp_path: Path):
    path = tmp_path / "lock"
    path.write_text("")
    readers = [child(PROBE, path) for _ in range(3)]
    try:
        for _ in range(100):
            with lock.held(path):
                assert lock.probe(path) == os.getpid()
    finally:
        path.unlink()
        for reader in readers:
            with reader:
                reader.wait()


def test_the_children_of_a_killed_worker_do_not_keep_its_lock(tmp_path: Path):
    path = tmp_path / "lock"
    holder = child(PARENT, path)
    with holder:
        assert lock.probe(path) == holder.pid
        holder.kill()
        holder.wait()
        assert not lock.is_held(path)  # though the grandchild lives on, until the pipe it reads is closed


def test_a_holder_without_a_pid_is_held_by_nobody_known(tmp_path: Path):
    path = tmp_path / "lock"
    for text in ("", "x", "-1", "0", "12 monkeys"):
        with lock.exclusive(path, wait_s=1.0):
            path.write_text(text)
            assert lock.is_held(path) and lock.probe(path) is None


def test_a_lock_whose_folder_was_removed_is_nobodys(tmp_path: Path):
    run = tmp_path / "run"
    run.mkdir()
    with pytest.raises(BadSource), lock.held(tmp_path / "none" / "lock"):
        pass
    with lock.held(run / "lock"):
        waiter = child(WAIT, run / "lock")
        (run / "lock").unlink()
        run.rmdir()
    with waiter:
        output = waiter.stdout.read() if waiter.stdout else b""
    assert b"held" not in output and b"There is no run folder" in output


def test_a_link_in_the_place_of_the_lock_is_not_followed(tmp_path: Path):
    (tmp_path / "precious").write_text("keep")
    (tmp_path / "lock").symlink_to(tmp_path / "precious")
    with pytest.raises(BadSource), lock.held(tmp_path / "lock"):
        pass
    assert not lock.is_held(tmp_path / "lock")
    assert (tmp_path / "precious").read_text() == "keep"


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_anything_else_in_the_place_of_the_lock_neither_blocks_nor_breaks(kind: str, tmp_path: Path):
    path = tmp_path / "lock"
    if kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    assert not lock.is_held(path) and lock.probe(path) is None
