"""Songs side by side: what to ask `gated sample` and `gated gates` for, and what their answers are as plain values.

Everything here that reads a file or asks a child process is for a thread; numpy is imported there, not before.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatedtui.sound.words import in_words
from gatedtui.tui import pieces, rolls
from gatedtui.tui.models import Model
from gatedtui.tui.pieces import Piece

Ask = Callable[[Sequence[str]], Any]
"""Runs `gated …` as a child and gives what it printed as JSON: `runs.launch.run_json`."""
QPM = 96.0


@dataclass(frozen=True)
class Take:
    """What all songs have in common.

    Attributes:
        prime: how they begin: `DATA:INDEX`, a file, pitches; "" leaves it to each model.
        prime_steps: how much of it is given: steps of the grid, for speech frames of ten samples.
        steps: how much is drawn, likewise.
        temperature: below 1 cautious, above 1 adventurous.
        seed: of every draw.
    """

    prime: str = ""
    prime_steps: int = 32
    steps: int = 128
    temperature: float = 1.0
    seed: int = 1


def first_take(model: Model, prime: str) -> Take:
    """What a model is asked for at first: of speech two seconds after half a second, at 8 kHz."""
    return Take(prime) if model.kind == "music" else Take(prime, prime_steps=400, steps=1600)


@dataclass(frozen=True, eq=False)
class Song:
    """One song, or the place where it will be.

    Attributes:
        model: who writes it; None for the real one.
        state: `waiting`, `drawing`, `ready`, `failed`.
        piece: once it is ready.
        nll: nats a frame of what follows the primer, under the model at temperature 1.
        facts: its statistics in words, the most telling first.
        wav: its sound.
        midi: its notes; none of speech.
        problem: why it failed.
    """

    model: Model | None
    state: str = "waiting"
    piece: Piece | None = None
    nll: float | None = None
    facts: tuple[str, ...] = ()
    wav: Path | None = None
    midi: Path | None = None
    problem: str = ""


def sample_words(model: Model, take: Take, outs: Sequence[Path]) -> list[str]:
    """The command that draws a song."""
    words = ["sample", model.source]
    for out in outs:
        words += ["--out", str(out)]
    words += ["--steps", str(take.steps), "--temperature", f"{take.temperature:g}", "--seed", str(take.seed)]
    if take.prime:
        words += ["--prime", take.prime, "--prime-steps", str(take.prime_steps), "--keep-prime"]
    return words


def real_words(model: Model, take: Take) -> list[str]:
    """The command that tells the real piece and how unlikely the model finds each frame of it."""
    return ["gates", model.source, "--input", take.prime, "--steps", str(take.prime_steps + take.steps), "--brief"]


def draw(model: Model, take: Take, stem: Path, ask: Ask) -> Song:
    """Has a song drawn into `STEM.wav` and, of music, `STEM.mid`, and reads it.

    Raises:
        GatedError: what `gated sample` has to say.
    """
    wav, midi = stem.with_suffix(".wav"), stem.with_suffix(".mid")
    outs = [midi, wav] if model.kind == "music" else [wav]
    about = ask(sample_words(model, take, outs))[0]
    nll, facts = about.get("nll_frame"), tuple(describe(about))
    if model.kind == "music":
        piece = _read_music(midi, int(about["steps_per_quarter"]), int(about["primer_steps"]))
        return Song(model, "ready", piece, nll, facts, wav, midi)
    return Song(model, "ready", _read_speech(wav, int(about["primer_samples"])), nll, facts, wav)


def _read_music(path: Path, steps_per_quarter: int, primer: int) -> Piece:
    from gatedtui.sound.held import held_notes
    from gatedtui.sound.midi import read_midi

    roll = read_midi(path, steps_per_quarter=steps_per_quarter)
    notes: tuple[rolls.Note, ...] = tuple(map(tuple, held_notes(roll).tolist()))
    return Piece("music", len(roll), 60.0 / (QPM * steps_per_quarter), notes=notes, primer=primer)


def _read_speech(path: Path, primer_samples: int) -> Piece:
    from gatedtui.data.audio import read_audio

    samples, rate_hz = read_audio(path)
    return pieces.of_samples(samples.tolist(), rate_hz, primer_samples // pieces.FRAME)


def real(about: dict[str, Any], take: Take, stem: Path) -> Song | None:
    """The real piece from the answer to `real_words`, with its sound in `STEM.wav`; None where nothing of it follows
    the primer, as after pitches that were typed."""
    piece = pieces.heard(about, take.prime_steps)
    if piece.steps <= take.prime_steps:
        return None
    wav = stem.with_suffix(".wav")
    facts: tuple[str, ...] = ()
    from gatedtui.sound import piano, statistics
    from gatedtui.sound.wav import write_audio

    if piece.kind == "music":
        roll = as_roll(piece)
        facts = tuple(describe(statistics.describe(roll[take.prime_steps :])))
        write_audio(piano.render(roll, qpm=QPM, steps_per_quarter=grid(piece)), piano.RATE_HZ, wav)
    elif "waveform" in about:
        import numpy as np

        samples, rate_hz = np.array(about["waveform"], np.float32), int(about["rate_hz"])
        facts = tuple(describe(statistics.describe_sound(samples[take.prime_steps * pieces.FRAME :], rate_hz)))
        write_audio(samples, rate_hz, wav)
    return Song(None, "ready", piece, None, facts, wav)


def as_roll(piece: Piece) -> Any:
    """Music as an array (T, 88) uint8, as the functions of `gatedtui.sound` take it."""
    import numpy as np

    from gatedtui.data.grid import LOWEST, PITCHES

    roll = np.zeros((piece.steps, PITCHES), np.uint8)
    for first, end, pitch in piece.notes:
        roll[first:end, pitch - LOWEST] = 1
    return roll


def grid(piece: Piece) -> int:
    """Steps in a quarter note of music."""
    return round(60.0 / (QPM * piece.step_s))


def steps_of(about: dict[str, Any]) -> int:
    """How long the piece in an answer of `gated gates` is. Of speech each step is two frames, so there is one fewer."""
    return int(about["steps"]) + (about["kind"] == "speech")


def real_nll(about: dict[str, Any], take: Take) -> float | None:
    """Mean NLL of the real frames after the primer under the model that was asked; None where there are none.

    The n-th value is that of what is new in step n: in music the frame itself; in speech, where a step is two frames,
    the second of them, so that everything is one place further to the left.
    """
    first = take.prime_steps - (about["kind"] == "speech")
    scored = [value for value in about["nll"][first:] if value is not None]
    return sum(scored) / len(scored) if scored else None


def describe(about: Mapping[str, Any]) -> list[str]:
    """Statistics in words, the most telling first: of music polyphony, fit to a scale, range, rests; of speech loudness
    and how often it crosses zero."""
    music = ("polyphony", "scale_consistency", "pitch_low", "empty_rate")
    return in_words(about, *music, "rms", "zero_crossings_hz", "tilt_db_per_octave")


def write(songs: Mapping[int, Song], take: Take, place: Path) -> list[Path]:
    """Copies the files of songs, by their places, into a folder, under names that say what they are, and gives them.

    Raises:
        BadSource: the folder cannot be made or written.
    """
    from gatedtui import atomic
    from gatedtui.errors import BadSource

    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadSource(f"'{place}' cannot be made ({error.strerror}).", "Start gated in another folder.") from None
    written: list[Path] = []
    for number, song in sorted(songs.items()):
        if song.state != "ready" or song.piece is None:
            continue
        stem = file_stem(song, number, take)
        if song.model is None and song.piece.kind == "music":
            from gatedtui.sound.midi import write_midi

            written.append(place / f"{stem}.mid")
            write_midi(as_roll(song.piece), written[-1], qpm=QPM, steps_per_quarter=grid(song.piece), title="real")
        for path in filter(None, (song.midi, song.wav, song.wav and song.wav.with_suffix(".json"))):
            if path.exists():
                written.append(place / f"{stem}{path.suffix}")
                atomic.write(written[-1], path.read_bytes())
    return written


def file_stem(song: Song, number: int, take: Take) -> str:
    """`2-gru-bach-1-bach-0-t1.00-seed7`, or `0-real-bach-0`."""
    prime = "".join(c if c.isalnum() or c in "_." else "-" for c in take.prime)[-40:].strip("-.")
    after = f"-{prime}" if prime else ""
    if song.model is None:
        return f"{number}-real{after}"
    return f"{number}-{song.model.name[:60]}{after}-t{take.temperature:.2f}-seed{take.seed}"
