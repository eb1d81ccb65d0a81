"""From a request to files: the primer, the draw, MIDI and audio, and the note that says how they came to be."""

import json
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gatedtui import atomic, paths
from gatedtui.checkpoint import Checkpoint
from gatedtui.data import catalogue, prepare
from gatedtui.data.dataset import FRAME, DataSet
from gatedtui.errors import BadArgument, BadSource, GatedError
from gatedtui.listen.sounding import MIDI_ENDINGS
from gatedtui.sound import distribution, fluid, midi, piano, statistics, wav
from gatedtui.sound.instrument import play_roll
from gatedtui.sources import Source

DATA_PIECE = re.compile(r"(?P<data>[A-Za-z][A-Za-z0-9_-]*):(?P<index>\d{1,9})")
PRIME_STEPS = 32
"""Steps of a data set's piece of music that are fed when `--prime-steps` does not say."""
PRIME_FRAMES = 400
"""Frames of 10 samples of a data set's piece of speech, likewise: half a second at 8 kHz."""
DEFAULT_S = {"music": 30.0, "speech": 5.0}
MOST_STEPS = 1_000_000
"""Steps of all songs of one request together: 88 MB of rolls."""
MOST_SAMPLES = 36_000_000
"""Samples of all voices of one request together: 75 minutes at 8 kHz, which take half an hour to draw."""
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Request:
    """What was asked for; the fields are the options of `gated sample`, already checked.

    `steps` and `prime_steps` are steps of the grid, for speech frames of 10 samples.
    """

    n: int = 1
    steps: int | None = None
    seconds: float | None = None
    temperature: float = 1.0
    greedy: bool = False
    seed: int = 1
    prime: str | None = None
    prime_steps: int | None = None
    keep_prime: bool = False
    qpm: float = 96.0
    restrike: int = 0
    program: int = 0
    soundfont: str | None = None
    stats: bool = False


@dataclass(frozen=True)
class Piece:
    """A song or a voice that was drawn.

    Attributes:
        write: writes it to a file of the kind the ending says, and gives what only writing tells (the gain of a WAV).
        facts: what the sidecar says of it.
    """

    write: Callable[[Path], dict[str, Any]]
    facts: dict[str, Any]


def compose(
    source: Source,
    request: Request,
    outs: Sequence[Path],
    *,
    cache: Path,
    mirror: str | None = None,
    progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """Draws the songs or voices and writes each to every file of `outs` (numbered if there are several) and a sidecar.

    Returns:
        One sidecar a piece: source, seed, options, `steps`, `nll_frame` (None when nothing was scored), the statistics
        of `sound.statistics`, and `files`.

    Raises:
        BadArgument: a primer that is neither a file, a data set's piece nor pitches; a speech model asked for MIDI.
        BadSource: a primer file or a place to write that cannot be used. Files written before stay.
    """
    check_places(source, request, outs)
    kind = source.checkpoint.data["kind"]
    pieces = (_voices if kind == "speech" else _songs)(source.checkpoint, request, cache, mirror, progress)
    if request.stats:
        pieces = _beside_training(pieces, source.checkpoint, cache, mirror, progress)
    return [_write(number, piece, source, request, outs) for number, piece in enumerate(pieces, start=1)]


def check_places(source: Source, request: Request, outs: Sequence[Path]) -> None:
    """Raises what `compose` would about the files to write, before anything is drawn."""
    for out in outs:
        if not out.parent.is_dir():
            raise BadSource(
                f"There is no folder '{out.parent}' to write '{out.name}' into.", f"mkdir -p '{out.parent}'"
            )
        if source.checkpoint.data["kind"] == "speech" and out.suffix.lower() not in wav.FORMATS:
            raise BadArgument(f"A model of speech writes no '{out.suffix}', as in '{out}'.", f"--out {out.stem}.wav")
    for number in range(1, request.n + 1):
        files = _files(number, request, outs)
        for path in (*files, _sidecar(files)):
            atomic.check(path)


def _files(number: int, request: Request, outs: Sequence[Path]) -> list[Path]:
    """The files of one song or voice."""
    return [out if request.n == 1 else out.with_name(f"{out.stem}-{number}{out.suffix}") for out in outs]


def _sidecar(files: Sequence[Path]) -> Path:
    return files[0].with_suffix(".json")


def _beside_training(
    pieces: list[Piece], model: Checkpoint, cache: Path, mirror: str | None, progress: Progress | None
) -> list[Piece]:
    """The pieces with what is usual in the training set, in excerpts as long as they: `training` in their sidecars."""
    data = prepare.prepare(
        model.data["name"], cache=cache, mirror=mirror, rate_hz=model.config.data.rate_hz, progress=progress
    )
    length = int(pieces[0].facts["samples" if data.kind == "speech" else "steps"])
    bands = {name: asdict(band) for name, band in distribution.training_bands(data, length).items()}
    return [Piece(piece.write, piece.facts | {"training": bands}) for piece in pieces]


def _songs(
    model: Checkpoint, request: Request, cache: Path, mirror: str | None, progress: Progress | None
) -> list[Piece]:
    from gatedtui.sample import draw_music

    font = None if request.soundfont is None else fluid.soundfont(request.soundfont)
    grid = int(model.data["steps_per_quarter"])
    steps = request.steps or max(1, round((request.seconds or DEFAULT_S["music"]) * request.qpm / 60 * grid))
    if steps * request.n > MOST_STEPS:
        raise BadArgument(
            f"'{request.n}' times '{steps:,}' steps are too much at once.", f"--steps {MOST_STEPS // request.n}"
        )
    primer = None
    if request.prime is not None:
        primer = read_primer(
            request.prime, request.prime_steps, grid=grid, cache=cache, mirror=mirror, progress=progress
        )
    drawn = draw_music(
        model,
        steps=steps,
        n=request.n,
        seed=request.seed,
        temperature=request.temperature,
        greedy=request.greedy,
        primer=primer,
    )

    def piece(roll: np.ndarray, nll: float) -> Piece:
        whole = roll if primer is None or not request.keep_prime else np.concatenate([primer, roll])

        def write(path: Path) -> dict[str, Any]:
            played = {"qpm": request.qpm, "steps_per_quarter": grid, "restrike": request.restrike}
            if path.suffix.lower() in wav.FORMATS:
                samples = play_roll(whole, **played, soundfont=font, program=request.program)
                wav.write_audio(samples, piano.RATE_HZ, path)
            else:
                midi.write_midi(whole, path, **played, program=request.program, title=model.config.model.unit)
            return {}

        facts = {
            "steps_per_quarter": grid,
            "steps": len(roll),
            "primer_steps": 0 if primer is None else len(primer),
            "nll_frame": nll if drawn.scored else None,
            "scored_frames": drawn.scored,
        }
        return Piece(write, facts | statistics.describe(roll, steps_per_quarter=grid))

    return [piece(roll, float(nll)) for roll, nll in zip(drawn.rolls, drawn.nll, strict=True)]


def _voices(
    model: Checkpoint, request: Request, cache: Path, mirror: str | None, progress: Progress | None
) -> list[Piece]:
    """Voices, brought back from the model's units to full scale 1 and written as they are.

    What is fed back never exceeds full scale, so the file is not clipped; were a kept primer to, `write_audio` makes
    the whole quieter and the sidecar's `gain` says so. Its `held` is the share of frames that `draw_speech` held back.
    """
    from gatedtui.sample import draw_speech

    rate_hz, scale = int(model.data["rate_hz"]), float(model.data["scale"])
    samples = (
        FRAME * request.steps if request.steps else max(1, round((request.seconds or DEFAULT_S["speech"]) * rate_hz))
    )
    if samples * request.n > MOST_SAMPLES:
        most = MOST_SAMPLES / request.n / rate_hz
        raise BadArgument(
            f"'{request.n}' times '{samples / rate_hz:,.0f}' seconds of speech are too much at once.",
            f"--seconds {most:.0f}",
        )
    primer = None
    if request.prime is not None:
        primer = read_voice(
            request.prime, request.prime_steps, rate_hz=rate_hz, cache=cache, mirror=mirror, progress=progress
        )
    drawn = draw_speech(
        model,
        samples=samples,
        n=request.n,
        seed=request.seed,
        temperature=request.temperature,
        greedy=request.greedy,
        primer=None if primer is None else primer / np.float32(scale),
        progress=progress,
    )

    def piece(wave: np.ndarray, nll: float, held: float) -> Piece:
        own = wave * np.float32(scale)
        whole = own if primer is None or not request.keep_prime else np.concatenate([primer, own])
        described = statistics.describe_sound(own, rate_hz)
        facts = {
            "rate_hz": rate_hz,
            "samples": len(own),
            "steps": -(-len(own) // FRAME),
            "primer_samples": 0 if primer is None else len(primer),
            "nll_frame": nll if drawn.scored else None,
            "scored_frames": drawn.scored,
            "training_rms": scale,
            "held": held,
        }
        return Piece(lambda path: {"gain": wav.write_audio(whole, rate_hz, path)}, facts | described)

    each = zip(drawn.waves, drawn.nll.tolist(), drawn.held.tolist(), strict=True)
    return [piece(wave, nll, held) for wave, nll, held in each]


def read_primer(
    text: str,
    steps: int | None,
    *,
    grid: int,
    cache: Path,
    mirror: str | None = None,
    progress: Progress | None = None,
) -> np.ndarray:
    """The frames `(T0, 88)` a primer stands for: a MIDI file, `DATA:INDEX` (a test piece, from 0), or pitches.

    Args:
        text: what was typed after `--prime`.
        steps: at most this many; None takes all of a file or of pitches, and 32 of a data set's piece.
        grid: steps in a quarter note.
        cache: where prepared data is.
        mirror: tried first when the data has to be fetched.
        progress: told while data is prepared.
    """
    if found := _test_piece(text, cache, mirror, progress):
        data, roll = found
        if data.kind != "music" or data.steps_per_quarter != grid:
            own = f"its steps are {data.steps_per_quarter} to a quarter note" if data.kind == "music" else "it is sound"
            hint = f"The model's steps are {grid} to a quarter note: give it a piece of the data it was trained on."
            raise BadArgument(f"'{text}' does not fit the model: {own}.", hint)
        return roll[: steps or PRIME_STEPS]
    if paths.is_path(text):
        return midi.read_midi(Path(text), steps_per_quarter=grid)[:steps]
    _refuse_a_bare_name(text, cache)
    return midi.parse_pitches(text)[:steps]


def kind_heard(text: str, *, cache: Path) -> str | None:
    """The kind of a primer, `music` or `speech`, by what was typed alone; None where nothing can be told by it."""
    piece, ending = DATA_PIECE.fullmatch(text), Path(text).suffix.lower()
    if piece and catalogue.has(piece["data"], cache=cache):
        return catalogue.entry(piece["data"], cache=cache).kind
    if ending in wav.FORMATS:
        return "speech"
    if ending in MIDI_ENDINGS:
        return "music"
    with suppress(GatedError):
        midi.parse_pitches(text)
        return "music"
    return None


def _refuse_a_bare_name(text: str, cache: Path) -> None:
    """Says of a data set's name without a number what it lacks."""
    if text in {one.name for one in catalogue.every(cache=cache)}:
        raise BadArgument(f"'{text}' is a whole data set, not one piece of it.", f"'{text}:0' is its first test piece.")


def read_voice(
    text: str,
    frames: int | None,
    *,
    rate_hz: int,
    cache: Path,
    mirror: str | None = None,
    progress: Progress | None = None,
    flag: str = "--prime",
) -> np.ndarray:
    """The samples `(S0,)` a primer of speech stands for: a sound file or `DATA:INDEX` (a test piece, from 0).

    Args:
        text: what was typed.
        frames: at most so many frames of 10 samples; None takes all of a file, and half a second of a data set's piece.
        rate_hz: the model's rate, to which it is brought.
        cache: where prepared data is.
        mirror: tried first when the data has to be fetched.
        progress: told while data is prepared.
        flag: the option that the text was typed after, for the hint.

    Returns:
        float32, full scale 1, at least 20 samples.
    """
    if found := _test_piece(text, cache, mirror, progress):
        data, wave = found
        if data.kind != "speech":
            raise BadArgument(f"'{text}' does not fit the model: it is {data.kind}.", f"{flag} speech-a:5")
        sound, found_hz, most = wave * np.float32(data.scale), data.rate_hz, frames or PRIME_FRAMES
    elif paths.is_path(text):
        (sound, found_hz), most = wav.read_audio(Path(text)), frames
    else:
        _refuse_a_bare_name(text, cache)
        hint = f"{flag} voice.wav or {flag} speech-a:5"
        raise BadArgument(f"'{text}' is neither a sound file nor a piece of a data set.", hint)
    from gatedtui.data.folder import FILE_RATES_HZ, resampled

    if not FILE_RATES_HZ[0] <= found_hz <= FILE_RATES_HZ[1]:
        hint = f"Rates from {FILE_RATES_HZ[0]:,} to {FILE_RATES_HZ[1]:,} Hz are read."
        raise BadSource(f"The primer '{text}' has '{found_hz}' samples a second.", hint)
    sound = resampled(sound, found_hz, rate_hz)[: FRAME * most if most else None]
    if len(sound) < 2 * FRAME:
        raise BadSource(
            f"The primer '{text}' has '{len(sound)}' samples at {rate_hz} Hz, and 20 are needed.", "Take a longer one."
        )
    return sound


def _test_piece(
    text: str, cache: Path, mirror: str | None, progress: Progress | None
) -> tuple[DataSet, np.ndarray] | None:
    """The set and the test piece that `DATA:INDEX` means, or None when the text has another form.

    Raises:
        BadArgument: there is no such set, or no such piece in it.
    """
    piece = DATA_PIECE.fullmatch(text)
    if piece is None:
        return None
    if not catalogue.has(piece["data"], cache=cache):
        if paths.exists(text):
            return None
        raise catalogue.missing(piece["data"], cache=cache)
    data = prepare.prepare(piece["data"], cache=cache, mirror=mirror, progress=progress)
    pieces, index = data.splits["test"], int(piece["index"])
    if index >= len(pieces):
        hint = f"Its test pieces are {piece['data']}:0 to {piece['data']}:{len(pieces) - 1}."
        raise BadArgument(f"There is no piece '{text}'.", hint)
    return data, pieces[index]


def _write(number: int, piece: Piece, source: Source, request: Request, outs: Sequence[Path]) -> dict[str, Any]:
    files, told = _files(number, request, outs), {}
    for path in files:
        told |= piece.write(path)
    model = source.checkpoint
    about: dict[str, Any] = {
        "files": [str(path) for path in files],
        "source": str(source.path),
        "model": source.described,
        "unit": model.config.model.unit,
        "data": model.data["name"],
        "data_digest": model.data["digest"],
        "song": number,
        "options": asdict(request),
        "version": model.version,
    }
    about |= piece.facts | told
    atomic.write(_sidecar(files), (json.dumps(about, indent=2, ensure_ascii=False) + "\n").encode())
    return about
