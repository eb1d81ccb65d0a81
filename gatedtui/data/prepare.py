"""Making a data set ready once, and reading it from the cache ever after."""

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from gatedtui.data import catalogue, dataset
from gatedtui.data.catalogue import Progress
from gatedtui.data.dataset import DataSet
from gatedtui.errors import BadSource


def cached(name: str, *, cache: Path) -> Path:
    """The file that holds, or will hold, the prepared set.

    Raises:
        BadArgument: there is no set of that name.
        BadSource: it is a path.
    """
    entry = catalogue.entry(name)
    return cache / "data" / f"{entry.name}-{entry.edition}.npz"


def prepare(name: str, *, cache: Path, mirror: str | None = None, progress: Progress | None = None) -> DataSet:
    """The data set, from the cache when it is there and whole, else made now and cached.

    A lock beside the cached file lets one process make it while others wait and then read. A damaged file is replaced,
    and the notes of the set returned say so.

    Args:
        name: a name of the catalogue.
        cache: the cache folder; made if need be.
        mirror: a folder or address tried first for files that have to be fetched.
        progress: told what is being done, how much of it is done, and how much there is.

    Raises:
        BadArgument: there is no set of that name.
        BadSource: it is a path; the cache folder cannot be written; or the set's source is missing.
    """
    entry = catalogue.entry(name)
    path = cached(name, cache=cache)
    try:
        return dataset.load(path)
    except BadSource:
        pass  # looked into again under the lock: another process may be making it right now
    with _writing(cache):
        path.parent.mkdir(parents=True, exist_ok=True)
    with _alone(path, progress):
        notes: tuple[str, ...] = ()
        if path.exists():
            try:
                return dataset.load(path)
            except BadSource as error:
                notes = (f"{error.what.rstrip('.')}; it was prepared anew.",)
                if progress:
                    progress(notes[0], 0, 0)
        made: DataSet = importlib.import_module(f"gatedtui.data.{entry.builder}").build(
            entry, cache=cache, mirror=mirror, progress=progress
        )
        if entry.digest and made.digest != entry.digest:
            made = replace(
                made,
                notes=(
                    *made.notes,
                    f"The content differs from the one prepared with {entry.digest_with}: "
                    f"digest {made.digest[:12]}, not {entry.digest[:12]}.",
                ),
            )
        with _writing(cache):
            dataset.save(made, path)
    return replace(made, notes=(*made.notes, *notes))


def load(name: str, *, cache: Path) -> DataSet:
    """The prepared data set; only the cache is read, and nothing is written.

    Raises:
        BadArgument: there is no set of that name.
        BadSource: it is a path, it is not prepared, or the cached file is damaged.
    """
    path = cached(name, cache=cache)
    if not path.exists():
        raise BadSource(f"The data set {name!r} is not prepared.", f"Type: gated data fetch {name}")
    try:
        return dataset.load(path)
    except BadSource as error:
        raise BadSource(error.what, f"Type: gated data fetch {name}") from error


@contextmanager
def _writing(cache: Path) -> Iterator[None]:
    """Turn a refusal of the file system into a sentence about the cache folder."""
    try:
        yield
    except OSError as error:
        raise BadSource(
            f"The cache folder '{cache}' cannot be written: {error.strerror or error}.",
            "Set GATED_CACHE to a folder that can be written and has room.",
        ) from error


@contextmanager
def _alone(path: Path, progress: Progress | None) -> Iterator[None]:
    """Hold the lock of a cached file; the system lets go of it when the process ends, however it ends."""
    import fcntl

    with _writing(path.parent):
        handle = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        with _writing(path.parent):
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if progress:
                    progress("waiting for another process that prepares the same data", 0, 0)
                fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
