"""The sweep folder: `<runs>/<name>/` with `sweep.toml` written first, and each trial a run folder in it.

It holds no `run.toml`, so it is no run itself; `--runs <runs>/<name>` shows its trials to every command that reads
runs. `lock` is held by the process that drives the sweep.
"""

import contextlib
import shlex
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatedtui import atomic, config, paths
from gatedtui.errors import BadArgument, BadSource, GatedError, nearest
from gatedtui.runs import folder as folders
from gatedtui.runs import lock
from gatedtui.runs.folder import RunFolder
from gatedtui.sweep import space
from gatedtui.sweep.plan import Slot, Sweep, Trial

FORMAT = 1
FIELDS = ("units", "data", "draws", "seeds", "recipe", "models")


@dataclass(frozen=True)
class SweepFolder:
    """One sweep on disk."""

    path: Path

    @property
    def name(self) -> str:
        """The sweep's name: the folder's own."""
        return self.path.name

    @property
    def about_path(self) -> Path:
        """`sweep.toml`: what was asked for. Written first and whole; a folder without it is no sweep."""
        return self.path / "sweep.toml"

    @property
    def lock_path(self) -> Path:
        """`lock`: held by the driver while it lives."""
        return self.path / "lock"

    @property
    def log_path(self) -> Path:
        """`workers.log`: what worker processes wrote outside of any trial, as when they could not begin."""
        return self.path / "workers.log"

    @property
    def is_there(self) -> bool:
        """Whether the folder is a sweep's."""
        return paths.exists(str(self.about_path)) and self.about_path.is_file()

    def run(self, slot: Slot) -> RunFolder:
        """A trial's run folder, whether it is there yet or not."""
        return RunFolder(self.path / slot.name)

    def about(self) -> Sweep:
        """What `sweep.toml` says.

        Raises:
            BadSource: it is missing, unreadable or not a sweep's.
        """
        path = str(self.about_path)
        flag, hint = paths.runs_flag(self.path.parent), f"Mend the file, or remove the folder {str(self.path)!r}."
        try:
            return from_toml(self.about_path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise BadSource(f"There is no sweep in {str(self.path)!r}.", f"gated sweep{flag} starts one.") from None
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "not text"
            raise BadSource(f"{path!r} cannot be read: {why}.", hint) from None
        except GatedError as error:
            raise BadSource(f"{path!r} is not a sweep: {error.what}", hint) from None


def to_toml(made: Sweep) -> str:
    """The text of `sweep.toml`."""
    import tomli_w

    head: dict[str, Any] = {"format": FORMAT}
    head |= {name: list(value) if isinstance(value := getattr(made, name), tuple) else value for name in FIELDS}
    return tomli_w.dumps(head | {"set": dict(made.fixed), "draw": {key: str(one) for key, one in made.spaces.items()}})


def from_toml(text: str) -> Sweep:
    """The sweep in a `sweep.toml`.

    Raises:
        BadArgument: the text is not TOML, of a later version, or not a sweep's.
    """
    try:
        held = tomllib.loads(text)
        if held["format"] != FORMAT:
            raise BadArgument(f"It has the format '{held['format']}', and this version reads '{FORMAT}'.")
        if held["models"] and len(held["models"]) != len(held["units"]):
            raise BadArgument("It names as many models as units, or none.")
        spaces = {key: space.parse(f"{key}={value}") for key, value in held["draw"].items()}
        return Sweep(
            units=tuple(map(str, held["units"])),
            data=tuple(map(str, held["data"])),
            draws=int(held["draws"]),
            seeds=tuple(map(int, held["seeds"])),
            recipe=str(held["recipe"]),
            models=tuple(map(str, held["models"])),
            fixed={config.find_key(key): value for key, value in held["set"].items()},
            spaces={key: one for key, one in spaces.items() if one is not None},
        )
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadArgument(f"This is not TOML: {error}.") from None
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise BadArgument(f"An entry is missing or wrong: {error}.") from None


def free_name(runs: Path) -> str:
    """`sweep-1`, or the first number that is free."""
    number = 1
    while (runs / f"sweep-{number}").exists():
        number += 1
    return f"sweep-{number}"


def named(runs: Path, name: str) -> SweepFolder:
    """The folder a sweep of this name has or would have.

    Raises:
        BadArgument: the name is not allowed, or a run's.
    """
    folder = SweepFolder(runs / folders.check_name(name))
    if RunFolder(folder.path).config_path.exists():
        raise BadArgument(f"'{name}' is a run in '{runs}', not a sweep.", "Choose another --name.")
    return folder


def create(runs: Path, name: str, made: Sweep) -> SweepFolder:
    """A new sweep folder with its `sweep.toml`, or the one that is there when it was asked for in the same words.

    Raises:
        BadArgument: the name is not allowed or a run's, or the sweep of that name is another; the difference is named.
        BadSource: the runs folder cannot be made or written.
    """
    folder = named(runs, name)
    if folder.is_there:
        check_same(folder, made)
        return folder
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror or str(error)
        raise BadSource(
            f"A sweep cannot be kept in '{runs}': {why}.", "Choose another place with --runs DIR."
        ) from None
    try:
        atomic.write(folder.about_path, to_toml(made).encode())
    except BaseException:
        with contextlib.suppress(OSError):
            folder.path.rmdir()
        raise
    return folder


def check_same(folder: SweepFolder, made: Sweep) -> None:
    """Raises `BadArgument` naming every difference between a sweep on disk and one that is asked for."""
    found = folder.about()
    told = [
        f"{name} {_shown(there)} there, {_shown(here)} here"
        for name in FIELDS
        if (there := getattr(found, name)) != (here := getattr(made, name))
    ]
    there, here = ({**one.fixed, **{key: str(drawn) for key, drawn in one.spaces.items()}} for one in (found, made))
    told += [
        f"{key} {_shown(there.get(key, 'not set'))} there, {_shown(here.get(key, 'not set'))} here"
        for key in sorted(there.keys() | here.keys())
        if there.get(key) != here.get(key)
    ]
    if told:
        named = shlex.quote(folder.name) + paths.runs_flag(folder.path.parent)
        again = f"gated sweep --name {named} alone goes on with it; or choose another --name."
        raise BadArgument(f"The sweep '{folder.name}' is another one: {'; '.join(told)}.", again)


def check_trials(folder: SweepFolder, planned: Sequence[Trial]) -> None:
    """Raises `BadArgument` when a trial on disk has another config than the plan, as after a change of a recipe."""
    for trial in planned:
        run = folder.run(trial.slot)
        if not run.config_path.exists():
            continue
        there, here = config.flat(run.config()), config.flat(trial.config)
        for key in here:
            if there[key] != here[key]:
                what = f"The trial '{trial.name}' was made with {key} '{there[key]}', not '{here[key]}'."
                raise BadArgument(what, "A recipe or model file has changed since: choose another --name.")


@contextlib.contextmanager
def driving(folder: SweepFolder) -> Iterator[None]:
    """Holds the sweep's lock: one process drives it.

    Raises:
        BadArgument: another one does.
        BadSource: the folder is gone or cannot be written.
    """
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(lock.held(folder.lock_path))
        except BadArgument:
            pid = lock.probe(folder.lock_path)
            by = f" by process {pid}" if pid else ""
            named = shlex.quote(folder.name) + paths.runs_flag(folder.path.parent)
            hint = f"gated table {named} shows what there is so far; gated stop {named} stops it."
            raise BadArgument(f"The sweep '{folder.name}' is already being trained{by}.", hint) from None
        yield


def all_sweeps(runs: Path) -> list[SweepFolder]:
    """The sweeps in a runs folder, newest first; none when there is no such folder."""
    try:
        found = [folder for path in runs.iterdir() if (folder := SweepFolder(path)).is_there]
        return sorted(found, key=lambda folder: (-folder.about_path.stat().st_mtime_ns, folder.name))
    except OSError:
        return []


def find(runs: Path, name: str) -> SweepFolder:
    """The sweep of this name.

    Raises:
        BadArgument: there is none; the nearest name is offered.
    """
    folder = SweepFolder(runs / name)
    if name and folder.is_there:
        return folder
    guess = nearest(name, [one.name for one in all_sweeps(runs)])
    offer = f"Did you mean '{guess}'? " if guess else ""
    hint = f"{offer}gated sweep --name NAME{paths.runs_flag(runs)} starts one."
    raise BadArgument(f"There is no sweep '{name}' in '{runs}'.", hint)


def _shown(value: Any) -> str:
    if isinstance(value, tuple | list):
        return "'" + " ".join(map(str, value)) + "'"
    return f"'{value}'" if value != "" else "'(the default)'"
