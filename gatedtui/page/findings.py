"""What a report shows, gathered: models with their histories, songs from one primer, gates, statistics.

What needs torch is done by child processes (`gated sample`, `gated gates`): nothing here does.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gatedtui import sources
from gatedtui.checkpoint import Checkpoint
from gatedtui.data import catalogue, prepare
from gatedtui.data.baseline import marginal_nll
from gatedtui.data.dataset import DataSet
from gatedtui.errors import BadArgument, GatedError
from gatedtui.listen.gather import SHORTEST_S, Choice, gather
from gatedtui.listen.items import Item, matched, unique
from gatedtui.page import clip
from gatedtui.page.clip import Clip
from gatedtui.runs import launch
from gatedtui.runs.folder import RunFolder
from gatedtui.runs.history import History, load
from gatedtui.runs.status import status
from gatedtui.sound.distribution import Band, training_bands
from gatedtui.sources import Source

UNITS = ("tanh", "lstm", "gru")
GATE_STEPS = 160
"""Steps of the piece whose gates are drawn: more would be narrower than a pixel on most screens."""
SECONDS = {"music": 20.0, "speech": 3.0}
"""Drawn beyond the primer: ten clips of three models fit into 6 MB."""
Say = Callable[[str], None]


@dataclass(frozen=True)
class Choices:
    """What is drawn for a report."""

    samples: int = 3
    """Songs of each model; 0 = none."""
    piece: int = 0
    """Number of the test piece that all go on from."""
    seed: int = 1
    """Of the first song of each model; the next ones count on."""
    seconds: float | None = None
    temperature: float = 1.0
    qpm: float = 96.0


@dataclass(frozen=True, eq=False)
class Model:
    """A model in a report.

    Attributes:
        label: its run's or its file's name.
        word: what names it in a command.
        path: its file.
        checkpoint: what the file holds.
        history: what happened in training; empty where only the model is known.
        state: `finished`, `running`, … for a run, `released` or `file` else.
        where: the words that tell a command in which folder the run is; empty where it looks there anyway.
    """

    label: str
    word: str
    path: Path
    checkpoint: Checkpoint
    history: History
    state: str
    where: tuple[str, ...] = ()

    @property
    def unit(self) -> str:
        """`tanh`, `lstm` or `gru`."""
        return self.checkpoint.config.model.unit

    def nll(self, split: str, weighting: str) -> float | None:
        """Nats a frame of the best model, clean; `weighting` is `frame` or `sequence`. None where it was not scored,
        as in a run that has not finished."""
        if split == "valid":
            key = "valid_nll" if weighting == "frame" else "valid_nll_sequence"
        else:
            key = f"{split}_nll_{weighting}"
        value = self.checkpoint.nll.get(key, getattr(self.history.finished, key, None))
        return float(value) if isinstance(value, int | float) else None


@dataclass(frozen=True, eq=False)
class Group:
    """The models of one data set, and what was found about them.

    Attributes:
        data: the set.
        models: in the order they were asked for.
        guessing: test NLL of guessing by frequency, frame-weighted and by piece.
        prime: the test piece that all went on from; empty where the set has no name that a command knows.
        clips: the real continuation and then each model's songs; empty where none were drawn.
        sets: numbers of clips that belong together: the real one, and one song of each model.
        training: the measures of the training set, in excerpts as long as the songs.
        gates: what `gated gates --brief` says of each model while it hears the piece.
    """

    data: DataSet
    models: Sequence[Model]
    guessing: tuple[float, float]
    prime: str = ""
    clips: Sequence[Clip] = ()
    sets: Sequence[Sequence[int]] = ()
    training: dict[str, Band] | None = None
    gates: Sequence[dict[str, Any]] = ()


def models(words: Sequence[str], *, runs: Path, typed: Path | None = None) -> list[Model]:
    """The models that words name: runs, released models, paths. Without words the newest run that has a model, with
    the newest of each other unit on the same data; without runs the released ones.

    Args:
        words: see above.
        runs: the runs folder.
        typed: the same, where it was given by `--runs`.

    Raises:
        BadArgument, BadSource: as `sources.find`.
    """
    found = [(word, sources.find(word, runs=runs)) for word in words] if words else _newest(runs)
    labels = unique([_label(source) for _, source in found])
    where = ("--runs", str(typed)) if typed else ()
    return [_model(label, word, source, where) for label, (word, source) in zip(labels, found, strict=True)]


def _newest(runs: Path) -> list[tuple[str, Source]]:
    first = sources.find(None, runs=runs)
    data = str(first.checkpoint.data["name"])
    found = []
    for unit in UNITS:
        try:
            one = sources.find(None, runs=runs, unit=unit, data=data)
        except GatedError:
            continue
        # A run is not mixed with released models, nor with what was trained on other data of that name.
        alike = (one.path.stem == "best") == (first.path.stem == "best")
        if alike and one.checkpoint.data["digest"] == first.checkpoint.data["digest"]:
            found.append((_label(one), one))
    return found


def _label(source: Source) -> str:
    return source.path.parent.name if source.path.stem == "best" else source.path.stem


def _model(label: str, word: str, source: Source, where: tuple[str, ...]) -> Model:
    run = RunFolder(source.path.parent)
    if source.path == run.best_path and run.config_path.exists():
        return Model(label, word, source.path, source.checkpoint, load(run), status(run).word, where)
    state = "released" if source.path in sources.released().values() else "file"
    return Model(label, word, source.path, source.checkpoint, History(), state)


def groups(
    chosen: Sequence[Model],
    choices: Choices,
    *,
    runs: Path,
    cache: Path,
    mirror: str | None = None,
    progress: catalogue.Progress | None = None,
    say: Say | None = None,
    ask: Callable[[Sequence[str]], Any] = launch.run_json,
) -> list[Group]:
    """The models by data set, with what is drawn and measured of them.

    Args:
        chosen: what `models` gave.
        choices: what is drawn.
        runs, cache, mirror, progress, say: as for `listen.gather.gather`.
        ask: runs `gated` with these words and gives what it prints as JSON.

    Raises:
        BadArgument: there is no such test piece.
        BadSource: the data cannot be had.
        GatedError: what a child process says.
    """
    names = list(dict.fromkeys(str(model.checkpoint.data["name"]) for model in chosen))
    made = []
    for name in names:
        own = [model for model in chosen if model.checkpoint.data["name"] == name]
        rate_hz = own[0].checkpoint.config.data.rate_hz
        data = prepare.prepare(name, cache=cache, mirror=mirror, rate_hz=rate_hz, progress=progress)
        group = Group(data, own, marginal_nll(data))
        known = set(catalogue.CATALOGUE) | {entry.name for entry in catalogue.every(cache=cache)}
        if name in known:
            pieces = len(data.splits["test"])
            if choices.piece >= pieces:
                hint = f"Its test pieces are 0 to {pieces - 1}: --piece {pieces - 1}"
                raise BadArgument(f"'{name}' has no test piece '{choices.piece}'.", hint)
            group = replace(group, prime=f"{name}:{choices.piece}")
            group = replace(group, gates=[_gates(model, group.prime, ask, say) for model in own])
        if choices.samples:
            group = _with_songs(group, choices, runs, cache, mirror, say, ask)
        made.append(group)
    return made


def _gates(model: Model, prime: str, ask: Callable[[Sequence[str]], Any], say: Say | None) -> dict[str, Any]:
    if say:
        say(f"{model.label} hears {prime}")
    return ask(["gates", str(model.path), "--input", prime, "--brief", "--steps", str(GATE_STEPS)])


def _with_songs(
    group: Group,
    choices: Choices,
    runs: Path,
    cache: Path,
    mirror: str | None,
    say: Say | None,
    ask: Callable[[Sequence[str]], Any],
) -> Group:
    """The group with so many songs of each model, all from one primer; song k of every model has one seed."""
    first = [group.prime] if group.prime else []
    words = [*first, *(str(model.path) for model in group.models)]
    seconds = choices.seconds or SECONDS[group.data.kind]
    if choices.seconds is None and first:
        half_s = _length_s(group.data, len(group.data.splits["test"][choices.piece]), choices.qpm) / 2
        seconds = min(seconds, half_s) if half_s >= SHORTEST_S else seconds
    rounds: list[list[Item]] = []
    for number in range(choices.samples):
        if say:
            names = ", ".join(model.label for model in group.models)
            say(f"drawing song {number + 1} of {choices.samples} from {names}")
        choice = Choice(seed=choices.seed + number, seconds=seconds, temperature=choices.temperature, qpm=choices.qpm)
        rounds.append(gather(words, choice, runs=runs, cache=cache, mirror=mirror, sample=ask))
    items, typed, titles = rounds[0][: len(first)], list(first), [item.label for item in rounds[0][: len(first)]]
    for at, model in enumerate(group.models, len(first)):
        for number, own in enumerate(rounds):
            items.append(replace(own[at], label=model.label))
            typed.append(model.word)
            titles.append(f"{model.label} · seed {choices.seed + number}" if len(rounds) > 1 else model.label)
    sets = [
        [*range(len(first)), *(len(first) + at * len(rounds) + number for at in range(len(group.models)))]
        for number in range(len(rounds))
    ]
    facts = items[-1].facts
    length = int(facts["samples" if group.data.kind == "speech" else "steps"])
    places = [()] * len(first) + [model.where for model in group.models for _ in rounds]
    made = clip.clips(matched(items), typed, titles)
    return replace(
        group,
        clips=[replace(one, command=(*one.command, *where)) for one, where in zip(made, places, strict=True)],
        sets=sets,
        training=training_bands(group.data, length),
    )


def _length_s(data: DataSet, length: int, qpm: float) -> float:
    return length * 60.0 / (qpm * data.steps_per_quarter) if data.kind == "music" else length / data.rate_hz
