"""Making a data set ready once, and reading it from the cache ever after."""

import importlib
import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from gatedtui.data import catalogue, dataset, imports
from gatedtui.data.catalogue import Entry, Progress
from gatedtui.data.dataset import DataSet
from gatedtui.data.imports import Import
from gatedtui.errors import BadArgument, BadSource


def cached(name: str, *, cache: Path, rate_hz: int = 0) -> Path:
    """The file that holds, or will hold, the prepared set.

    Raises:
        BadArgument: there is no set of that name.
    """
    return catalogue.cache_file(name, cache=cache, rate_hz=rate_hz)


def prepare(
    name: str,
    *,
    cache: Path,
    mirror: str | None = None,
    rate_hz: int = 0,
    progress: Progress | None = None,
) -> DataSet:
    """The data set, from the cache when it is there and whole, else made now and cached.

    A lock beside the cached file lets one process make it while others wait and then read. A damaged file is replaced,
    and the notes of the set returned say so. A folder given by its path is read anew when names, sizes or times of its
    files have changed; one that was imported stays as it was at the import.

    Args:
        name: a name of the catalogue, an imported name, or the path of a folder.
        cache: the cache folder; made if need be.
        mirror: a folder or address tried first for files that have to be fetched.
        rate_hz: samples a second that a folder of recordings is brought to; 0 takes 8,000.
        progress: told what is being done, how much of it is done, and how much there is.

    Raises:
        BadArgument: there is no set of that name, or it cannot have that rate.
        BadSource: a folder cannot be used; the cache folder cannot be written; or the set's source is missing.
    """
    entry = catalogue.entry(name, cache=cache, rate_hz=rate_hz)
    path = cached(name, cache=cache, rate_hz=rate_hz)
    stamp = ""
    if entry.folder and not entry.imported:
        from gatedtui.data import listing

        stamp = listing.look(Path(entry.folder)).stamp
    found, _ = _look(path, stamp)
    if found:
        return found
    with _writing(cache):
        path.parent.mkdir(parents=True, exist_ok=True)
    with _alone(path, progress):
        found, notes = _look(path, stamp)  # another process may have made it by now
        if found:
            return found
        if notes and progress:
            progress(notes[0], 0, 0)
        made = _make(entry, path, stamp, cache, mirror, progress)
    return replace(made, notes=(*made.notes, *notes))


def import_folder(
    name: str,
    folder: Path,
    *,
    cache: Path,
    rate_hz: int = 0,
    transposed: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> DataSet:
    """Reads a folder under a name, which from then on is a data name like any other.

    The set stays as it is now, whatever becomes of the folder; importing it again under the name takes what is new.

    Args:
        name: the name to give: a letter and up to 39 letters, digits, `-` and `_`.
        folder: of scores or of recordings.
        cache: the cache folder.
        rate_hz: recordings: samples a second to bring them to; 0 takes 8,000.
        transposed: scores: move every piece to C major or A minor.
        overwrite: replace an import of that name from another folder.
        progress: told what is being done.

    Raises:
        BadArgument: the name cannot be given or is taken, or an option does not go with what the folder holds.
        BadSource: the folder cannot be used, or the cache folder cannot be written.
    """
    imports.check_name(name)
    if name in catalogue.CATALOGUE:
        raise BadArgument(f"The name '{name}' is taken by a data set of the catalogue.", "Choose another name.")
    text = str(folder)
    live = catalogue.entry(text if "/" in text else f"./{text}", cache=cache, rate_hz=rate_hz)
    if transposed and live.kind != "music":
        raise BadArgument(f"The recordings in '{folder}' cannot be transposed.", "Leave out --transpose.")
    one = Import(name, live.folder, live.kind, live.rate_hz, transposed)
    with _writing(cache):
        catalogue.import_file(name, cache=cache).parent.mkdir(parents=True, exist_ok=True)
    old = imports.read(cache).get(name)
    if old and old.path != one.path and not overwrite:
        raise BadArgument(
            f"The name '{name}' is taken: it was imported from '{old.path}'.", "Choose another name, or add --replace."
        )
    path = catalogue.import_file(name, cache=cache)
    with _alone(path, progress):
        made = _make(catalogue.import_entry(one), path, "", cache, None, progress)
        with _alone(imports.registry(cache), progress):
            imports.add(one, cache)
    return made


def load(name: str, *, cache: Path, rate_hz: int = 0) -> DataSet:
    """The prepared data set; only the cache is read, and nothing is written. Of a folder only the path counts.

    Raises:
        BadArgument: there is no set of that name.
        BadSource: it is not prepared, or the cached file is damaged.
    """
    path = cached(name, cache=cache, rate_hz=rate_hz)
    if not path.exists():
        raise BadSource(f"The data set {name!r} is not prepared.", f"Type: gated data fetch {shlex.quote(name)}")
    try:
        return dataset.load(path)
    except BadSource as error:
        raise BadSource(error.what, f"Type: gated data fetch {shlex.quote(name)}") from error


def _look(path: Path, stamp: str) -> tuple[DataSet | None, tuple[str, ...]]:
    """The cached set, when it is whole and made from what the stamp describes; a note when it is damaged."""
    if not path.exists():
        return None, ()
    try:
        found = dataset.load(path)
    except BadSource as error:
        return None, (f"{error.what.rstrip('.')}; it was prepared anew.",)
    return (found if found.stamp == stamp else None), ()


def _make(entry: Entry, path: Path, stamp: str, cache: Path, mirror: str | None, progress: Progress | None) -> DataSet:
    """Makes the set and writes it to `path`, whose lock is held: what lies half-written beside it is of the dead."""
    with _writing(cache):
        for left in path.parent.glob(f".{path.name}.*.tmp"):
            left.unlink(missing_ok=True)
    builder = importlib.import_module(f"gatedtui.data.{entry.builder}")
    made: DataSet = replace(builder.build(entry, cache=cache, mirror=mirror, progress=progress), stamp=stamp)
    if entry.digest and made.digest != entry.digest:
        surprise = (
            f"The content differs from the one prepared with {entry.digest_with}: "
            f"digest {made.digest[:12]}, not {entry.digest[:12]}."
        )
        made = replace(made, notes=(*made.notes, surprise))
    with _writing(cache):
        dataset.save(made, path)
    return made


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
