"""GPUs in the status bar: where nvidia-smi answers, and nowhere else."""

import gc
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gatedtui.tui.gpu import Gpu, Watch, read
from gatedtui.tui.messages import Load
from gatedtui.tui.terminal import meter
from gatedtui.tui.widgets import bars

PLACES = [("1", "Dashboard"), ("2", "Compare"), ("3", "Runs")]


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Makes `script` the only nvidia-smi there is."""
    tool = folder / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def within(seconds: float, true: Callable[[], bool]) -> bool:
    ends = time.monotonic() + seconds
    while not true() and time.monotonic() < ends:
        time.sleep(0.01)
    return true()


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_two_gpus_are_the_busier_one_and_the_memory_of_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    lines = "echo '0, 37, 1024'; echo '1, 80, 512'"
    install(tmp_path, monkeypatch, f"echo $$ > {tmp_path}/pid; {lines}; exec sleep 60")
    watches = [Watch()]
    assert within(10, lambda: watches[0].newest == Gpu(80.0, 1536 << 20))
    pid = int((tmp_path / "pid").read_text())
    watches.clear()
    gc.collect()
    assert within(5, lambda: gone(pid)), "the tool outlives whoever asked it"


@pytest.mark.parametrize("script", ["exit 9", "echo 'NVIDIA-SMI has failed'; exec sleep 60", "exec sleep 60"])
def test_a_tool_that_fails_or_hangs_is_nothing_and_nobody_waits(tmp_path, monkeypatch, script: str):
    install(tmp_path, monkeypatch, script)
    watch = Watch()
    assert not within(0.2, lambda: watch.newest is not None)


def test_a_tool_that_ends_takes_its_figures_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    install(tmp_path, monkeypatch, f"echo '0, 1, 1'; while [ ! -e {tmp_path}/end ]; do sleep 0.02; done")
    watch = Watch()
    assert within(10, lambda: watch.newest is not None)
    (tmp_path / "end").touch()
    assert within(10, lambda: watch.newest is None)


def test_without_the_tool_nothing_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Watch().newest is None
    assert meter()()[2] is None


@pytest.mark.parametrize("line", ["", "0, [N/A], 1024", "0, 37", "No devices were found", "0, 37, 1024, 5"])
def test_a_line_without_figures_is_passed_over(line: str):
    assert read(line) is None


def test_the_bar_shows_gpus_where_there_is_room_and_keeps_the_rest_where_there_is_not():
    load = Load(98.0, 1 << 30, Gpu(37.0, 2 << 30))
    wide = "".join(text for text, _ in bars.top(PLACES, "Runs", load, 100))
    assert "gpu  37% 2.0G  cpu  98%  mem 1.0G" in wide
    narrow = "".join(text for text, _ in bars.top(PLACES, "Runs", load, 62))
    assert "gpu" not in narrow
    assert "cpu  98%" in narrow
    without = "".join(text for text, _ in bars.top(PLACES, "Runs", Load(98.0, 1 << 30), 100))
    assert "gpu" not in without
