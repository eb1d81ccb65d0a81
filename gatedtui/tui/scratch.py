"""Temporary folders of this process, and the removal of those that killed ones have left behind."""

import os
import re
import shutil
import tempfile
from pathlib import Path

PREFIX = "gated-app-"


def make() -> Path:
    """A new folder, for the caller to remove."""
    sweep()
    return Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))


def sweep() -> None:
    """Removes the folders of processes that are no more."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        found = re.match(rf"{PREFIX}(\d+)-", path.name)
        if found and not _lives(int(found[1])):
            shutil.rmtree(path, ignore_errors=True)


def remove(folder: Path | None) -> None:
    """Removes such a folder, and minds nothing."""
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def _lives(pid: int) -> bool:
    import psutil

    return psutil.pid_exists(pid)
