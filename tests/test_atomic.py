"""Whole files or none: whatever happens while a file is written, its name stands for the old one or the new one."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gatedtui import atomic
from gatedtui.errors import BadSource

KILLED = """
import os, signal, sys
from pathlib import Path
from gatedtui import atomic
def killed(*_):
    os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[2] == "fsync":
    os.fsync = killed
else:
    Path.replace = killed
atomic.write(Path(sys.argv[1]), b"new" * 100_000)
"""


def test_who_reads_all_the_time_sees_no_half_file(tmp_path: Path):
    path, over, seen = tmp_path / "file", threading.Event(), set()
    contents = [bytes([letter]) * 3_000_000 for letter in b"ab"]
    atomic.write(path, contents[0])

    def read() -> None:
        while not over.is_set():
            content = path.read_bytes()
            seen.add((len(content), content[:1] == content[-1:]))

    reader = threading.Thread(target=read)
    reader.start()
    for turn in range(40):
        atomic.write(path, contents[turn % 2])
    over.set()
    reader.join()
    assert seen == {(3_000_000, True)}


@pytest.mark.parametrize("where", ["fsync", "replace"])
def test_a_writer_that_is_killed_leaves_the_old_file(where: str, tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    done = subprocess.run([sys.executable, "-c", KILLED, str(path), where])
    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old"
    assert [one.name.startswith(".") for one in tmp_path.iterdir() if one != path] == [True]


def test_a_disk_that_is_full_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BadSource, match="No space left"):
        atomic.write(path, b"new")
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_what_is_no_plain_file_is_never_replaced(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(BadSource, match=r"a folder|not a plain file"):
            atomic.write(path, b"new")
    assert not Path("/dev/null").is_file() and (tmp_path / "pipe").is_fifo()


def test_a_name_that_no_file_can_have_is_a_bad_source(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"old")
    for path in (tmp_path / "file" / "below", tmp_path / ("a" * 300)):
        with pytest.raises(BadSource, match="cannot be written"):
            atomic.write(path, b"new")
    with pytest.raises(BadSource, match="cannot be made"):
        atomic.folder(tmp_path / "file" / "below")
    assert [path.name for path in tmp_path.iterdir()] == ["file"] and (tmp_path / "file").read_bytes() == b"old"
