"""Fixtures shared by all tests: a private cache and runs folder, and no worker that outlives its test."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported: the tests already fill the cores with processes

import pytest

REPO = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def private_places(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test has a runs folder of its own; the cache is shared by the tests of one process, and no user's."""
    base = tmp_path_factory.getbasetemp()
    monkeypatch.setenv("GATED_CACHE", str(base / "cache"))
    monkeypatch.setenv("GATED_RUNS", str(tmp_path_factory.mktemp("runs")))
    monkeypatch.delenv("GATED_DEBUG", raising=False)


@pytest.fixture
def runs() -> Path:
    """This test's runs folder."""
    return Path(os.environ["GATED_RUNS"])


@pytest.fixture(autouse=True)
def no_worker_survives(private_places: None) -> Iterator[None]:
    """After each test every worker on its runs folder is killed."""
    yield
    folder = Path(os.environ.get("GATED_RUNS", ""))
    for lock in folder.glob("*/lock") if folder.is_dir() else ():
        from gatedtui.runs.lock import probe

        pid = probe(lock)
        if pid:
            os.kill(pid, signal.SIGKILL)
            deadline = time.monotonic() + 10
            while probe(lock) and time.monotonic() < deadline:
                time.sleep(0.01)


@pytest.fixture(scope="session")
def python() -> str:
    """The interpreter the tests run in."""
    return sys.executable


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Bytes are named, not spelled: archives and WAVs hold the time, and every process must find the same names."""
    return argname if isinstance(val, bytes | bytearray) else None
