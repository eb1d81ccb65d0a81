"""The run folder: `<runs>/<name>/` with `run.toml` written first; made, found, listed and removed here."""

import contextlib
import errno
import os
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from gatedtui import config as configs
from gatedtui import paths
from gatedtui.config import RunConfig
from gatedtui.errors import BadArgument, BadSource, nearest
from gatedtui.runs import lock

LONGEST = 80
"""Characters a run's name may have."""


@dataclass(frozen=True)
class RunFolder:
    """One run on disk. Every face reads it; only its worker writes, but for `run.toml`."""

    path: Path

    @property
    def name(self) -> str:
        """The run's name: the folder's own."""
        return self.path.name

    @property
    def config_path(self) -> Path:
        """`run.toml`: what is trained. Written first and whole; a folder without it is no run."""
        return self.path / "run.toml"

    @property
    def lock_path(self) -> Path:
        """`lock`: held by the worker while it lives."""
        return self.path / "lock"

    @property
    def events_path(self) -> Path:
        """`events.jsonl`: what has happened, one event a line."""
        return self.path / "events.jsonl"

    @property
    def best_path(self) -> Path:
        """`best.safetensors`: the model with the lowest validation NLL so far."""
        return self.path / "best.safetensors"

    @property
    def state_path(self) -> Path:
        """`state.safetensors`: all that training needs to go on as if never interrupted."""
        return self.path / "state.safetensors"

    @property
    def log_path(self) -> Path:
        """`worker.log`: what the worker wrote to stdout and stderr."""
        return self.path / "worker.log"

    def config(self) -> RunConfig:
        """What `run.toml` says.

        Raises:
            BadSource: it is missing, unreadable or not a run's config.
        """
        path = str(self.config_path)
        try:
            return configs.from_toml(self.config_path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise BadSource(f"There is no run in {str(self.path)!r}.", listing(self.path.parent)) from None
        except OSError as error:
            raise BadSource(f"{path!r} cannot be read: {error.strerror}.", "Check the file's permissions.") from None
        except UnicodeDecodeError:
            hint = f"Remove the run: gated runs rm {shlex.quote(self.name)}{paths.runs_flag(self.path.parent)}"
            raise BadSource(f"{path!r} is not text.", hint) from None
        except BadArgument as error:
            raise BadSource(
                f"{path!r} is not a run's config: {error.what}", "Mend the file, or remove the run."
            ) from None


def check_name(name: str) -> str:
    """The name itself, when a run may have it: 1 to 80 printable characters, no `/` or `\\`, no leading `.` or `-`.

    Raises:
        BadArgument: it may not.
    """
    if not name:
        problem = "is empty"
    elif len(name) > LONGEST:
        problem = f"has {len(name)} characters"
    elif not name.isprintable():
        problem = "holds characters that cannot be printed"
    elif "/" in name or "\\" in name:
        problem = "holds a slash"
    elif name[0] in ".-":
        problem = f"begins with {name[0]!r}"
    else:
        return name
    shown = name if len(name) <= LONGEST else name[:LONGEST] + "…"
    hint = (
        f"Names are 1 to {LONGEST} printable characters without / or \\ that do not begin with . or -, as --name gru-1"
    )
    raise BadArgument(f"The run name {shown!r} {problem}.", hint)


def free_name(runs: Path, unit: str, data: str) -> str:
    """The default name `<unit>-<data>-<n>`, n the first free number from 1.

    Args:
        runs: the runs folder; it need not exist.
        unit: the unit's name.
        data: a data set's name or a path, whose last component is used with everything but letters, digits, `_` and
            `.` turned to `-`.
    """
    stem = f"{unit}-{short(data)}"
    return next(name for n in count(1) if not os.path.lexists(runs / (name := f"{stem}-{n}")))


def short(data: str) -> str:
    """A data set's name, or a path's last component, as a part of a run's name: at most 40 characters."""
    path = Path(data)
    last = path.name if path.name not in ("", "..") else path.resolve().name
    cleaned = "".join(c if c.isalnum() or c in "_." else "-" for c in last)
    # 120 bytes: 40 characters take that in any script, and file systems stop at 255 for the whole name.
    found = "-".join(part for part in cleaned.split("-") if part)[:40]
    while len(os.fsencode(found)) > 120:
        found = found[:-1]
    return found.strip(".-") or "data"


def check_free(runs: Path, name: str) -> str:
    """The name itself, when a run may have it and none has.

    Raises:
        BadArgument: the name is not allowed, or taken.
    """
    if os.path.lexists(runs / check_name(name)):
        raise _taken(runs, name)
    return name


def _taken(runs: Path, name: str) -> BadArgument:
    kinds = {"run.toml": ("a run", "resume "), "sweep.toml": ("a sweep", "sweep --name ")}
    kind, command = next((kinds[file] for file in kinds if (runs / name / file).exists()), ("something else", ""))
    go_on = f"Go on with it: gated {command}{shlex.quote(name)}{paths.runs_flag(runs)}   or c" if command else "C"
    return BadArgument(f"There is already {kind} {name!r} in {str(runs)!r}.", f"{go_on}hoose another --name.")


def create(runs: Path, name: str, config: RunConfig) -> RunFolder:
    """A new run folder with its `run.toml`, both on the disk when this returns; nothing is left behind on failure.

    Raises:
        BadArgument: the name is not allowed, or taken.
        BadSource: the runs folder cannot be made or written, or the disk is full.
    """
    folder = RunFolder(runs / check_name(name))
    made: list[Path] = []
    try:
        made += [path for path in (runs, *runs.parents) if not path.exists()]
        runs.mkdir(parents=True, exist_ok=True)
        try:
            folder.path.mkdir()
        except FileExistsError:
            raise _taken(runs, name) from None
        made.insert(0, folder.path)
        _write(folder.config_path, configs.to_toml(config))
    except BaseException as error:
        if folder.path in made:
            shutil.rmtree(folder.path, ignore_errors=True)
        for path in made:
            with contextlib.suppress(OSError):
                path.rmdir()
        if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG and len(os.fsencode(name)) > 255:
            raise BadArgument(
                f"The run name {name!r} is too long for this file system.", "Choose a shorter --name."
            ) from None
        if isinstance(error, OSError):
            why = error.strerror or str(error)
            raise BadSource(
                f"A run cannot be kept in {str(runs)!r}: {why}.", "Choose another place with --runs DIR."
            ) from None
        raise
    return folder


def create_next(runs: Path, config: RunConfig) -> RunFolder:
    """A new run under its default name, or the next where another process takes that first; raises as `create` does."""
    while True:
        name = free_name(runs, config.model.unit, config.data.name)
        try:
            return create(runs, name, config)
        except BadArgument:
            if not os.path.lexists(runs / name):
                raise


def _write(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}.new")
    with fresh.open("x", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def find(runs: Path, name: str) -> RunFolder:
    """The run of this name.

    Raises:
        BadArgument: there is none; the nearest name is offered.
    """
    with contextlib.suppress(BadArgument):
        folder = RunFolder(runs / check_name(name))
        if _made_at(folder) is not None:
            return folder
    known = [folder.name for folder in all_runs(runs)]
    last = Path(name).name
    guess = last if last in known else nearest(name, known)
    offer = f"Did you mean {guess!r}? " if guess else ""
    raise BadArgument(f"There is no run {name!r} in {str(runs)!r}.", offer + listing(runs))


def listing(runs: Path) -> str:
    """The hint where a run is not found."""
    return f"gated runs list{paths.runs_flag(runs)} shows what there is."


def all_runs(runs: Path) -> list[RunFolder]:
    """The runs in a folder, newest first by the time their `run.toml` was written; none when there is no such folder.

    Raises:
        BadSource: the runs folder is a file or cannot be read.
    """
    try:
        folders = [RunFolder(runs / entry) for entry in os.listdir(runs)]  # noqa: PTH208
    except FileNotFoundError:
        return []
    except OSError as error:
        raise BadSource(
            f"{str(runs)!r} cannot be listed: {error.strerror}.", "Choose another with --runs DIR."
        ) from None
    return [folder for _, _, folder in sorted(_dated(folders), reverse=True, key=lambda item: item[:2])]


def _dated(folders: list[RunFolder]) -> Iterator[tuple[int, str, RunFolder]]:
    for folder in folders:
        with contextlib.suppress(BadArgument):
            made = _made_at(folder)
            if made is not None:
                yield made, check_name(folder.name), folder


def _made_at(folder: RunFolder) -> int | None:
    try:
        return folder.config_path.stat().st_mtime_ns
    except (OSError, ValueError):
        return None


def remove(folder: RunFolder) -> None:
    """Removes a run with everything in it, `run.toml` last, so that a removal cut short can be repeated.

    Links are removed, never what they point to; a run folder that is itself a link loses only the link. A run that is
    gone already is no error.

    Raises:
        BadArgument: the run is running.
        BadSource: something in it cannot be removed.
    """
    try:
        if folder.path.is_symlink():
            if lock.is_held(folder.lock_path):
                raise _running(folder)
            folder.path.unlink()
        elif folder.path.is_dir():
            _remove_unlocked(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        where = error.filename or str(folder.path)
        raise BadSource(
            f"{str(where)!r} cannot be removed: {error.strerror}.", "Check the folder's permissions."
        ) from None


def _remove_unlocked(folder: RunFolder) -> None:
    # The lock is held meanwhile: a worker that starts now waits, then finds its folder gone instead of writing into it.
    with contextlib.ExitStack() as stack:
        if not folder.lock_path.is_symlink():
            try:
                stack.enter_context(lock.exclusive(folder.lock_path, wait_s=0.5))
            except BadArgument:
                raise _running(folder) from None
        for path in folder.path.iterdir():
            if path in (folder.config_path, folder.lock_path):
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        folder.lock_path.unlink(missing_ok=True)
        shutil.rmtree(folder.path)


def _running(folder: RunFolder) -> BadArgument:
    hint = f"Stop it first: gated stop {shlex.quote(folder.name)}{paths.runs_flag(folder.path.parent)}"
    return BadArgument(f"The run {folder.name!r} is running.", hint)
