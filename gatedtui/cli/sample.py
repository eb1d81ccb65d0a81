"""`gated sample`: a trained model writes music, to MIDI and audio files."""

import math
from pathlib import Path
from typing import Annotated

import typer

from gatedtui import paths
from gatedtui.cli import output
from gatedtui.cli.options import Json, Runs, Source, Unit
from gatedtui.cli.progress import Bar
from gatedtui.errors import BadArgument, nearest

ENDINGS = {".mid": "music", ".midi": "music", ".wav": None}
MOST = 1_000_000
"""Steps of all songs of one command together: 88 MB of rolls."""
SECONDS = 30.0
QPM = 96.0


def sample(
    source: Source = None,
    out: Annotated[list[Path] | None, typer.Option("--out", help="FILE.mid or FILE.wav; repeatable.")] = None,
    unit: Unit = None,
    data: Annotated[str | None, typer.Option("--data", help="Take a model trained on this data set.")] = None,
    n: Annotated[int, typer.Option("--n", help="How many songs; 3 writes FILE-1 … FILE-3.")] = 1,
    steps: Annotated[int | None, typer.Option("--steps", help="Length in steps of the grid.")] = None,
    seconds: Annotated[float | None, typer.Option("--seconds", help="Length in seconds (default 30).")] = None,
    temperature: Annotated[float, typer.Option("--temperature", help="Below 1 cautious, above 1 adventurous.")] = 1.0,
    greedy: Annotated[bool, typer.Option("--greedy", help="Always the likelier value, no chance.")] = False,
    seed: Annotated[int, typer.Option("--seed", help="Same seed, same bytes.")] = 1,
    prime: Annotated[
        str | None, typer.Option("--prime", help="How it begins: a MIDI file, DATA:INDEX (a test piece), or pitches.")
    ] = None,
    prime_steps: Annotated[int | None, typer.Option("--prime-steps", help="Use this much of the primer.")] = None,
    keep_prime: Annotated[bool, typer.Option("--keep-prime", help="Write the primer before the song.")] = False,
    qpm: Annotated[float, typer.Option("--qpm", help="Quarter notes a minute.")] = QPM,
    runs: Runs = None,
    json: Json = False,
) -> None:
    """Draws songs from a model and writes them, with a FILE.json that says how they came to be.

    Without SOURCE: the newest run that fits, else a released model.

    Examples: gated sample --out song.mid · gated sample gru-bach-1 --out song.mid --out song.wav --seed 7 ·
    gated sample --prime bach:3 --keep-prime --out song.mid · gated sample --prime "C4,E4,G4*8" --out song.mid
    """
    outs = out or []
    kind = _kind(outs)
    _check_numbers(
        n=n, steps=steps, seconds=seconds, temperature=temperature, seed=seed, prime_steps=prime_steps, qpm=qpm
    )
    from gatedtui import sources

    place = runs or paths.runs_folder()
    found = sources.find(source, runs=place, unit=unit, data=data, kind=kind)
    output.say(found.described)
    from gatedtui import compose

    with Bar() as bar:
        request = compose.Request(
            n=n,
            steps=steps,
            seconds=seconds,
            temperature=temperature,
            greedy=greedy,
            seed=seed,
            prime=prime,
            prime_steps=prime_steps,
            keep_prime=keep_prime,
            qpm=qpm,
        )
        written = compose.compose(found, request, outs, cache=paths.cache_folder(), mirror=paths.mirror(), progress=bar)
    if json:
        output.document(written)
        return
    for song in written:
        nll = song["nll_frame"]
        figures = f"{song['steps']} steps, {nll:.2f} nats a frame" if nll is not None else f"{song['steps']} steps"
        output.result(f"{'  '.join(song['files'])}   {figures}, {song['polyphony']:.1f} notes at a time")
    output.say(f"play it:  gated play {written[0]['files'][0]}")


def _kind(outs: list[Path]) -> str | None:
    if not outs:
        raise BadArgument("Where should the song go?", "gated sample --out song.mid")
    kinds = set()
    for path in outs:
        if path.suffix.lower() not in ENDINGS:
            guess = nearest(path.suffix.lower(), ENDINGS) or ".mid"
            raise BadArgument(
                f"'{path}' ends in '{path.suffix}', which is not .mid or .wav.", f"--out {path.stem or 'song'}{guess}"
            )
        kinds.add(ENDINGS[path.suffix.lower()])
    return "music" if "music" in kinds else None


def _check_numbers(**values: float | int | None) -> None:
    n, steps, seconds = values["n"] or 0, values["steps"], values["seconds"]
    if not 1 <= n <= 1000:
        raise BadArgument(f"--n must lie in 1..1000, not '{n}'.", "gated sample --n 3 --out song.mid")
    if steps is not None and seconds is not None:
        raise BadArgument(
            f"--steps '{steps}' and --seconds '{seconds}' contradict each other.", "Leave one of them out."
        )
    if steps is not None and not 1 <= steps <= MOST // n:
        raise BadArgument(
            f"--steps must lie in 1..{MOST // n}, not '{steps}'.", "gated sample --steps 256 --out song.mid"
        )
    for name, low, high in (("seconds", 0.01, 36_000.0), ("temperature", 1e-3, 1e3), ("qpm", 1.0, 1000.0)):
        value = values[name]
        if value is not None and not (math.isfinite(value) and low <= value <= high):
            raise BadArgument(f"--{name} must lie in [{low:g}, {high:g}], not '{value}'.", f"--{name} {max(low, 1):g}")
    if not 0 <= (values["seed"] or 0) < 2**63:
        raise BadArgument(f"--seed must be a whole number from 0, not '{values['seed']}'.", "--seed 7")
    if values["prime_steps"] is not None and values["prime_steps"] < 1:
        raise BadArgument(f"--prime-steps must be 1 or more, not '{values['prime_steps']}'.", "--prime-steps 32")
