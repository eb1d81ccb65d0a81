"""Which trained model a SOURCE means: a path, else a run's name, else a released name; or the newest that fits."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gatedtui import checkpoint, paths
from gatedtui.checkpoint import Checkpoint
from gatedtui.errors import BadSource, GatedError, unknown
from gatedtui.runs import folder as folders

DEFAULT_UNIT, DEFAULT_DATA, JOINT = "gru", "bach", "-nade"


@dataclass(frozen=True)
class Source:
    """A model that was found.

    Attributes:
        checkpoint: what the file holds.
        path: the file.
        described: which it is and why it was taken, in one sentence.
    """

    checkpoint: Checkpoint
    path: Path
    described: str


def released() -> dict[str, Path]:
    """The released models by name, `gru-bach` and so on."""
    return {path.stem: path for path in sorted(paths.bundled("checkpoints").glob("*.safetensors"))}


def find(
    source: str | None, *, runs: Path, unit: str | None = None, data: str | None = None, kind: str | None = None
) -> Source:
    """The model a command works on.

    Args:
        source: a path (a file, or a run's folder), a run's name, or a released name; None takes the newest run with a
            best model that fits `unit`, `data` and `kind`, else the released model that does: one with joint outputs,
            which sounds best, unless a unit is asked for, because units are compared as the paper has them.
        runs: the runs folder.
        unit: `tanh`, `lstm` or `gru`; with a source it must agree.
        data: a data set's name; with a source it must agree.
        kind: `"music"` or `"speech"`.

    Raises:
        BadArgument: no path, run or released model has that name.
        BadSource: nothing there, or not a model, or one that does not fit `unit`, `data` or `kind`.
    """
    if source is None:
        return _newest(runs, unit, data, kind)
    path, origin = _named(source, runs)
    found = checkpoint.load(path)
    if unit is not None and found.config.model.unit != unit:
        raise BadSource(
            f"'{source}' is a model of '{found.config.model.unit}' units, not '{unit}'.", "Leave out --unit."
        )
    if data is not None and found.data["name"] != data:
        raise BadSource(f"'{source}' was trained on '{found.data['name']}', not '{data}'.", "Leave out --data.")
    if kind is not None and found.data["kind"] != kind:
        ending = ".wav" if found.data["kind"] == "speech" else ".mid"
        raise BadSource(
            f"'{source}' models {found.data['kind']}, not {kind}.", f"Write --out with the ending {ending}."
        )
    return Source(found, path, _described(origin, found))


def _named(source: str, runs: Path) -> tuple[Path, str]:
    path = Path(source)
    if source and paths.exists(source):
        if path.is_dir():
            run = folders.RunFolder(path)
            if not run.best_path.exists() and not run.config_path.exists():
                raise BadSource(f"The folder '{source}' is no run.", folders.listing(runs))
            return _best(run), f"run {run.name}"
        return path, f"file {source}"
    known = {run.name: run for run in folders.all_runs(runs)}
    if source in known:
        return _best(known[source]), f"run {source}"
    models = released()
    if source in models:
        return models[source], f"released model {source}"
    if paths.is_path(source):
        return path, f"file {source}"  # reading it says what is wrong with it
    raise unknown("checkpoint, run or released model", source, [*known, *models])


def _best(run: folders.RunFolder) -> Path:
    if not run.best_path.exists():
        named = f"gated watch {shlex.quote(run.name)}{paths.runs_flag(run.path.parent)}"
        raise BadSource(f"The run '{run.name}' has no best model yet.", named)
    return run.best_path


def _newest(runs: Path, unit: str | None, data: str | None, kind: str | None) -> Source:
    other = None
    for path, origin, found in _candidates(runs, joint=unit is None):
        if unit is not None and found.config.model.unit != unit:
            continue
        if data is not None and found.data["name"] != data:
            continue
        if kind is not None and found.data["kind"] != kind:
            other = other or found.data["kind"]
            continue
        return Source(found, path, _described(origin, found))
    asked = f"{f' of {kind}' if kind else ''}{f' with {unit!r} units' if unit else ''}{f' on {data!r}' if data else ''}"
    if other is not None and data is not None:
        hint = f"'{data}' is {other}: write --out with the ending {'.wav' if other == 'speech' else '.mid'}."
    else:
        typed = ["--unit", unit] if unit else []
        typed += ["--data", data] if data else []
        hint = shlex.join(["gated", "train", *typed]) + paths.runs_flag(runs)
    raise BadSource(f"There is no trained model{asked} here.", hint)


def _candidates(runs: Path, *, joint: bool) -> Iterator[tuple[Path, str, Checkpoint]]:
    """Best models of the runs, newest first, then the released ones: those of the default data first, then those with
    joint outputs, or without, then those of the default unit."""
    for run in folders.all_runs(runs):
        if run.best_path.exists():
            try:
                yield run.best_path, f"newest run {run.name}", checkpoint.load(run.best_path)
            except GatedError:
                continue  # a damaged run does not hide the older ones; naming it as SOURCE says what is wrong with it
    models = released()

    def rank(name: str) -> tuple[bool, bool, bool, str]:
        _, data, *_ = (*name.split("-", 1), "")
        is_joint, is_default = name.endswith(JOINT), data.removesuffix(JOINT) == DEFAULT_DATA
        return not is_default, is_joint != joint, not name.startswith(f"{DEFAULT_UNIT}-"), name

    for name in sorted(models, key=rank):
        yield models[name], f"released model {name}", checkpoint.load(models[name])


def _described(origin: str, found: Checkpoint) -> str:
    epoch, valid = found.nll.get("epoch"), found.nll.get("valid_nll")
    figure = f", valid {valid:.2f} nats a frame" if isinstance(valid, int | float) else ""
    model = found.config.model
    joint = " with joint outputs" if model.head == "nade" else ""
    return f"{origin}: {model.unit} {model.hidden}{joint} on {found.data['name']}, epoch {epoch}{figure}"
