"""Whole files or none: what is written appears under its name at once, or not at all."""

import contextlib
import os
import threading
from pathlib import Path

from gatedtui.errors import BadSource


def check(path: Path) -> None:
    """Raises BadSource where a file cannot stand: a folder or a device is there, or no file can be called so."""
    try:
        if path.exists() and not path.is_file():
            kind = "a folder" if path.is_dir() else "not a plain file"
            raise BadSource(f"'{path}' cannot be written: it is {kind}.", "Give the name of a file.")
    except OSError as error:
        raise _unwritable(path, error) from None


def write(path: Path, content: bytes | memoryview) -> None:
    """Writes `content` to `path`: first to a sibling, synced to the disk, which then takes the name in one step.

    A reader, a crash or a full disk never sees half a file, and an older file of that name survives a failure.

    Raises:
        BadSource: the folder is missing, not writable or full, or `path` is something other than a plain file
            (a device is never replaced by a file).
    """
    # The sibling's name does not contain the file's own, which may already be as long as the file system allows.
    sibling = path.with_name(f".{os.getpid()}-{threading.get_ident()}.part")
    try:
        check(path)
        with sibling.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        sibling.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        with contextlib.suppress(OSError):
            sibling.unlink()


def folder(path: Path) -> None:
    """Makes a folder, and those above it, where it is not there yet.

    Raises:
        BadSource: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadSource(f"The folder '{path}' cannot be made ({error.strerror}).", "Choose another place.") from None


def _unwritable(path: Path, error: OSError) -> BadSource:
    why = error.strerror or type(error).__name__
    return BadSource(f"'{path}' cannot be written ({why}).", "Choose another place, or make room there.")
