"""From the words after `gated listen` to things to listen to: files, data sets' pieces, and what models draw.

Models draw in child processes (`gated sample … --json`): nothing here needs torch. All draw with the same seed, from
the same primer and for the same time.
"""

import re
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from gatedtui import sources
from gatedtui.data import catalogue, prepare
from gatedtui.data.dataset import FRAME, DataSet
from gatedtui.data.grid import LOWEST, PITCHES
from gatedtui.data.smf import DRUMS, read_score
from gatedtui.errors import BadArgument, BadSource
from gatedtui.listen import sounding
from gatedtui.listen.items import Item, unique
from gatedtui.runs import folder as folders
from gatedtui.runs import launch
from gatedtui.sound import piano, statistics
from gatedtui.sound.instrument import play_roll
from gatedtui.sound.midi import read_midi
from gatedtui.sound.wav import read_stereo
from gatedtui.sources import Source

PRIME = {"music": 32, "speech": 400}
"""Steps of a piece of music, or frames of 10 samples of speech, that models go on from unless told otherwise."""
DEFAULT_S = {"music": 30.0, "speech": 5.0}
AUDIO_ENDINGS = (".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff", ".opus", ".oga")
FILE_STEPS_PER_S = 16
"""Rows a second of the roll of a MIDI file, which has no grid of its own."""
SHORTEST_S = 1.0
"""Where less than this is left of the real piece, as of the windows of speech-a, models draw their default length."""
TOGETHER = 2
"""Models that draw at the same time."""

_PIECE = re.compile(r"(?P<data>[A-Za-z][A-Za-z0-9_-]*):(?P<index>\d{1,9})")
_AUDIO_HEADS = (b"RIFF", b"fLaC", b"OggS", b"FORM", b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")
Say = Callable[[str], None]


@dataclass(frozen=True)
class Choice:
    """How models draw, and how music is played."""

    seed: int = 1
    seconds: float | None = None
    """Length without the primer; None = the rest of the real piece, 30 s (music) or 5 s (speech) at most; those too
    where less than a second is left."""
    temperature: float = 1.0
    greedy: bool = False
    prime: str | None = None
    """As for `gated sample`; None = the first data set's piece among the words, if there is one."""
    prime_steps: int | None = None
    qpm: float = 96.0
    restrike: int = 0
    soundfont: Path | None = None
    program: int = 0
    excerpt: int = 0
    """Added to the seed and to every piece's number: other excerpts of the same comparison."""


@dataclass(frozen=True, eq=False)
class _Piece:
    """A data set's own piece."""

    label: str
    data: DataSet
    index: int

    @property
    def content(self) -> np.ndarray:
        return self.data.splits["test"][self.index]

    def seconds(self, length: int, qpm: float) -> float:
        """How long so many of its steps or samples last."""
        if self.data.kind == "music":
            return length * 60.0 / (qpm * self.data.steps_per_quarter)
        return length / self.data.rate_hz


def gather(
    words: Sequence[str],
    choice: Choice,
    *,
    runs: Path,
    cache: Path,
    mirror: str | None = None,
    progress: catalogue.Progress | None = None,
    say: Say | None = None,
    sample: Callable[[Sequence[str]], Any] = launch.run_json,
) -> list[Item]:
    """The things to listen to, in the order of the words; not yet matched (see `items.matched`).

    Args:
        words: each a path of an audio or MIDI file, `DATA:INDEX` (a test piece, from 0), or a model as in
            `sources.find`: a path, a run's name or a released name.
        choice: how models draw.
        runs, cache, mirror: where runs and prepared data are, and what is tried first for data.
        progress: told while data is prepared.
        say: told what each model is, and that it draws.
        sample: runs `gated` with these words and gives what it prints as JSON.

    Raises:
        BadArgument: there is nothing of that name, or music is mixed with speech.
        BadSource: a file that cannot be used, or a primer that leaves nothing of the real piece.
        GatedError: what a model's child process says.
    """
    found = [_find(word, choice, runs, cache, mirror, progress) for word in words]
    kinds = {_kind(one): word for one, word in zip(found, words, strict=True) if not isinstance(one, Path)}
    if len(kinds) > 1:
        music, speech = kinds["music"], kinds["speech"]
        raise BadArgument(f"'{music}' is music and '{speech}' is speech.", "Compare music with music.")
    kind = next(iter(kinds), "music")
    first = next((one for one in found if isinstance(one, _Piece)), None)
    primer, prime_steps = _primer(first, choice, kind)
    seconds = _seconds(first if primer and choice.prime is None else None, prime_steps, choice, kind)
    with tempfile.TemporaryDirectory(prefix="gated-listen-") as name, ThreadPoolExecutor(TOGETHER) as pool:
        folder = Path(name)

        def make(number: int, one: _Piece | Source | Path) -> Item:
            if isinstance(one, Path):
                return _file(one, folder)
            if isinstance(one, _Piece):
                return _real(one, prime_steps if primer and choice.prime is None else 0, seconds, choice)
            place = folder / str(number)
            place.mkdir()
            command = _command(one, kind, primer, prime_steps, seconds, choice)
            if say:
                say(f"drawing from {one.described}")
            outs = [str(place / ("drawn.mid" if kind == "music" else "drawn.wav"))]
            answer = sample([*command, "--out", outs[0], "--runs", str(runs)])
            return _drawn(one, outs[0], answer[0], command, choice)

        jobs = [pool.submit(make, number, one) for number, one in enumerate(found)]
        try:
            made = [job.result() for job in jobs]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    labels = unique([item.label for item in made])
    return [replace(item, label=label) for item, label in zip(made, labels, strict=True)]


def _find(
    word: str, choice: Choice, runs: Path, cache: Path, mirror: str | None, progress: catalogue.Progress | None
) -> _Piece | Source | Path:
    piece = _PIECE.fullmatch(word)
    if piece and catalogue.has(piece["data"], cache=cache):
        data = prepare.prepare(piece["data"], cache=cache, mirror=mirror, progress=progress)
        index, count = int(piece["index"]), len(data.splits["test"])
        if index >= count:
            hint = f"Its test pieces are {piece['data']}:0 to {piece['data']}:{count - 1}."
            raise BadArgument(f"There is no piece '{word}'.", hint)
        index = (index + choice.excerpt) % count
        return _Piece(f"{piece['data']}:{index}", data, index)
    path = Path(word)
    if path.is_file() and _is_sound(path):
        return path
    if not path.exists() and path.suffix.lower() in (*AUDIO_ENDINGS, *sounding.MIDI_ENDINGS):
        raise BadSource(f"There is no file '{word}'.", "Check the path.")
    if piece and not path.exists() and word not in {run.name for run in folders.all_runs(runs)}:
        raise catalogue.missing(piece["data"], cache=cache)
    return sources.find(word, runs=runs)


def _is_sound(path: Path) -> bool:
    head = sounding.head(path)
    return (
        head == b"MThd"
        or head.startswith(_AUDIO_HEADS)
        or path.suffix.lower() in (*AUDIO_ENDINGS, *sounding.MIDI_ENDINGS)
    )


def _kind(one: "_Piece | Source | Path") -> str:
    if isinstance(one, _Piece):
        return one.data.kind
    return str(one.checkpoint.data["kind"]) if isinstance(one, Source) else ""


def _primer(first: _Piece | None, choice: Choice, kind: str) -> tuple[str | None, int]:
    """What the models go on from, and so many of its steps (frames); 0 = all of it."""
    if choice.prime is not None:
        return choice.prime, choice.prime_steps or 0
    if first is None:
        if choice.prime_steps is not None:
            what = f"'--prime-steps {choice.prime_steps}' goes with a primer or a data set's piece alone."
            raise BadArgument(what, "Add --prime bach:0, or leave it out.")
        return None, 0
    unit = 1 if kind == "music" else FRAME
    length = len(first.content) // unit
    # Of a short piece (a chorale of jsb has some 60 steps) half is left to go on with.
    steps = choice.prime_steps or min(PRIME[kind], length // 2)
    if not 1 <= steps < length:
        raise BadSource(f"A primer of '{steps}' steps leaves nothing of '{first.label}'.", f"It has {length} steps.")
    return first.label, steps


def _seconds(first: _Piece | None, prime_steps: int, choice: Choice, kind: str) -> float:
    """How long is drawn."""
    if choice.seconds is not None:
        return choice.seconds
    if first is None:
        return DEFAULT_S[kind]
    unit = 1 if kind == "music" else FRAME
    rest = first.seconds(len(first.content) - unit * prime_steps, choice.qpm)
    return min(rest, DEFAULT_S[kind]) if rest >= SHORTEST_S else DEFAULT_S[kind]


def _command(
    source: Source, kind: str, primer: str | None, prime_steps: int, seconds: float, choice: Choice
) -> tuple[str, ...]:
    """The words of `gated sample` that draw it, but for the places of files."""
    words = ["sample", str(source.path), "--seed", str(choice.seed + choice.excerpt)]
    if kind == "music":
        grid = int(source.checkpoint.data["steps_per_quarter"])
        words += ["--steps", str(max(1, round(seconds * choice.qpm / 60 * grid))), "--qpm", f"{choice.qpm:g}"]
    else:
        words += ["--seconds", f"{seconds:g}"]
    if primer is not None:
        words += ["--prime", primer, "--keep-prime"]
        words += ["--prime-steps", str(prime_steps)] if prime_steps else []
    words += ["--temperature", f"{choice.temperature:g}"] if choice.temperature != 1.0 else []
    return (*words, "--greedy") if choice.greedy else tuple(words)


def _drawn(source: Source, out: str, facts: dict[str, Any], command: tuple[str, ...], choice: Choice) -> Item:
    """What a model drew, read back from the file that its child process has written."""
    about: dict[str, Any] = {
        "label": _label(source),
        "kind": "model",
        "unit": source.checkpoint.config.model.unit,
        "source": source.described,
        "nll": facts["nll_frame"],
        "command": ("gated", *command),
        "facts": facts,
    }
    if source.checkpoint.data["kind"] == "music":
        grid = int(facts["steps_per_quarter"])
        roll, primed = read_midi(out, steps_per_quarter=grid), int(facts["primer_steps"])
        return Item(**about, **_music(roll, primed, grid, choice))
    samples, rate_hz = read_stereo(out)
    primed = int(facts["primer_samples"])
    return Item(**about, **_speech(samples, primed, rate_hz))


def _real(piece: _Piece, prime_steps: int, seconds: float, choice: Choice) -> Item:
    """The piece itself, as much of it as the models draw."""
    split = f"{piece.data.name}, test piece {piece.index}"
    title = piece.data.titles["test"][piece.index]
    about: dict[str, Any] = {
        "label": piece.label,
        "kind": "real",
        "source": f"{split}: {title}" if title else split,
    }
    if piece.data.kind == "music":
        grid = piece.data.steps_per_quarter
        steps = prime_steps + max(1, round(seconds * choice.qpm / 60 * grid))
        return Item(**about, **_music(piece.content[:steps], prime_steps, grid, choice))
    primed = FRAME * prime_steps
    wave = piece.content[: primed + max(1, round(seconds * piece.data.rate_hz))] * np.float32(piece.data.scale)
    return Item(**about, **_speech(np.repeat(wave[:, None], 2, axis=1), primed, piece.data.rate_hz))


def _music(roll: np.ndarray, primed: int, grid: int, choice: Choice) -> dict[str, Any]:
    own = roll[primed:] if len(roll) > primed else roll
    return {
        "content": "music",
        "samples": play_roll(
            roll,
            qpm=choice.qpm,
            steps_per_quarter=grid,
            restrike=choice.restrike,
            soundfont=choice.soundfont,
            program=choice.program,
        ),
        "rate_hz": piano.RATE_HZ,
        "roll": roll,
        "step_s": 60.0 / (choice.qpm * grid),
        "primer_s": primed * 60.0 / (choice.qpm * grid),
        "statistics": statistics.describe(own, steps_per_quarter=grid),
    }


def _speech(samples: np.ndarray, primed: int, rate_hz: int) -> dict[str, Any]:
    own = samples[primed:, 0] if len(samples) > primed else samples[:, 0]
    return {
        "content": "speech",
        "samples": samples,
        "rate_hz": rate_hz,
        "primer_s": primed / rate_hz,
        "statistics": statistics.describe_sound(own, rate_hz),
    }


def _file(path: Path, folder: Path) -> Item:
    if not sounding.is_midi(path):
        place = Path(tempfile.mkdtemp(dir=folder))
        samples, rate_hz = read_stereo(sounding.decoded(path, place))
        described = statistics.describe_sound(samples.mean(axis=1), rate_hz)
        return Item(path.name, "file", samples, rate_hz, f"file {path}", statistics=described)
    score = read_score(path)
    samples = sounding.render_score(path, score)
    notes = score.notes[(score.notes[:, 4] != DRUMS) & (np.abs(score.notes[:, 2] - LOWEST - 43.5) < PITCHES / 2)]
    first, end = (np.rint(score.seconds(notes[:, side]) * FILE_STEPS_PER_S).astype(int) for side in (0, 1))
    end = np.maximum(end, first + 1)
    # Starts and ends are counted and summed: filling each note would take hours where a file overlaps them by design.
    change = np.zeros((int(end.max(initial=1)) + 1, PITCHES), np.int32)
    np.add.at(change, (first, notes[:, 2] - LOWEST), 1)
    np.add.at(change, (end, notes[:, 2] - LOWEST), -1)
    roll = (np.cumsum(change[:-1], axis=0) > 0).astype(np.uint8)
    return Item(
        path.name,
        "file",
        samples,
        piano.RATE_HZ,
        f"file {path}",
        content="music",
        roll=roll,
        step_s=1.0 / FILE_STEPS_PER_S,
        statistics=statistics.describe(read_midi(path, steps_per_quarter=4), steps_per_quarter=4),
    )


def _label(source: Source) -> str:
    """A model's name: its run's, or its file's."""
    return source.path.parent.name if source.path.stem == "best" else source.path.stem
