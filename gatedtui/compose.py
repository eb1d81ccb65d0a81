"""From a request to files: the primer, the draw, MIDI and audio, and the note that says how they came to be."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gatedtui import atomic, paths
from gatedtui.data import catalogue, prepare
from gatedtui.errors import BadArgument, BadSource
from gatedtui.sound import midi, piano, statistics, wav
from gatedtui.sources import Source

DATA_PIECE = re.compile(r"(?P<data>[A-Za-z][A-Za-z0-9_-]*):(?P<index>\d{1,9})")
PRIME_STEPS = 32
"""Steps of a data set's piece that are fed when `--prime-steps` does not say."""
DEFAULT_S = 30.0


@dataclass(frozen=True)
class Request:
    """What was asked for; the fields are the options of `gated sample`, already checked."""

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


def compose(
    source: Source,
    request: Request,
    outs: Sequence[Path],
    *,
    cache: Path,
    mirror: str | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[dict[str, Any]]:
    """Draws the songs and writes each to every file of `outs` (numbered when there are several) and a sidecar.

    Returns:
        One sidecar a song: source, seed, options, `steps`, `nll_frame` (None when nothing was scored), the statistics
        of `sound.statistics`, and `files`.

    Raises:
        BadArgument: a primer that is neither a file, a data set's piece nor pitches.
        BadSource: a primer file or a place to write that cannot be used. Files written before stay.
    """
    for out in outs:
        if not out.parent.is_dir():
            raise BadSource(
                f"There is no folder '{out.parent}' to write '{out.name}' into.", f"mkdir -p '{out.parent}'"
            )
    model = source.checkpoint
    grid = int(model.data["steps_per_quarter"])
    steps = request.steps or max(1, round((request.seconds or DEFAULT_S) * request.qpm / 60 * grid))
    primer = None
    if request.prime is not None:
        primer = read_primer(
            request.prime, request.prime_steps, grid=grid, cache=cache, mirror=mirror, progress=progress
        )
    from gatedtui.sample import draw_music

    drawn = draw_music(
        model,
        steps=steps,
        n=request.n,
        seed=request.seed,
        temperature=request.temperature,
        greedy=request.greedy,
        primer=primer,
    )
    return [
        _write(number, roll, float(nll), drawn.scored, primer, source, request, outs, grid)
        for number, (roll, nll) in enumerate(zip(drawn.rolls, drawn.nll, strict=True), start=1)
    ]


def read_primer(
    text: str,
    steps: int | None,
    *,
    grid: int,
    cache: Path,
    mirror: str | None = None,
    progress: Callable[[str, int, int], None] | None = None,
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
    piece = DATA_PIECE.fullmatch(text)
    if piece and piece["data"] in catalogue.CATALOGUE:
        data = prepare.prepare(piece["data"], cache=cache, mirror=mirror, progress=progress)
        rolls, index = data.splits["test"], int(piece["index"])
        if data.kind != "music" or data.steps_per_quarter != grid:
            hint = f"The model's grid has {grid} steps a quarter note; prime it with a piece of its own data set."
            raise BadArgument(f"'{text}' does not fit the model: its grid differs.", hint)
        if index >= len(rolls):
            hint = f"Its test pieces are {piece['data']}:0 to {piece['data']}:{len(rolls) - 1}."
            raise BadArgument(f"There is no piece '{text}'.", hint)
        return rolls[index][: steps or PRIME_STEPS]
    if paths.is_path(text):
        return midi.read_midi(Path(text), steps_per_quarter=grid)[:steps]
    return midi.parse_pitches(text)[:steps]


def _write(
    number: int,
    roll: np.ndarray,
    nll: float,
    scored: int,
    primer: np.ndarray | None,
    source: Source,
    request: Request,
    outs: Sequence[Path],
    grid: int,
) -> dict[str, Any]:
    whole = roll if primer is None or not request.keep_prime else np.concatenate([primer, roll])
    files = []
    for out in outs:
        path = out if request.n == 1 else out.with_name(f"{out.stem}-{number}{out.suffix}")
        if path.suffix.lower() == ".wav":
            samples = piano.render(whole, qpm=request.qpm, steps_per_quarter=grid)
            wav.write_audio(samples, piano.RATE_HZ, path)
        else:
            midi.write_midi(
                whole, path, qpm=request.qpm, steps_per_quarter=grid, title=source.checkpoint.config.model.unit
            )
        files.append(str(path))
    model = source.checkpoint
    about: dict[str, Any] = {
        "files": files,
        "source": str(source.path),
        "model": source.described,
        "unit": model.config.model.unit,
        "data": model.data["name"],
        "data_digest": model.data["digest"],
        "song": number,
        "options": asdict(request),
        "steps_per_quarter": grid,
        "steps": len(roll),
        "primer_steps": 0 if primer is None else len(primer),
        "nll_frame": nll if scored else None,
        "scored_frames": scored,
        "version": model.version,
    } | statistics.describe(roll)
    sidecar = Path(files[0]).with_suffix(".json")
    atomic.write(sidecar, (json.dumps(about, indent=2, ensure_ascii=False) + "\n").encode())
    return about
