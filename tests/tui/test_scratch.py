import os
import subprocess
import sys

from gatedtui.tui import scratch


def test_folders_of_killed_processes_are_removed_and_others_are_not(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    gone, foreign = tmp_path / f"{scratch.PREFIX}{child.pid}-a", tmp_path / f"{scratch.PREFIX}x-b"
    for path in (gone, foreign):
        path.mkdir()
        (path / "file").touch()
    one, other = scratch.make(), scratch.make()
    assert one != other and one.is_dir() and other.is_dir() and f"-{os.getpid()}-" in one.name
    assert not gone.exists() and foreign.exists()
    scratch.remove(one)
    scratch.remove(None)
    assert not one.exists()
