"""`gated sample`: a trained model writes music, to MIDI and audio files, or speaks, to audio files."""

import math
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gatedtui import paths, plan
from gatedtui.cli import complete, output
from gatedtui.cli.options import Json, Runs, Source, Unit
from gatedtui.cli.progress import Bar
from gatedtui.data import catalogue
from gatedtui.errors import BadArgument, BadSource, nearest

if TYPE_CHECKING:
    from gatedtui.sources import Source as Found

ENDINGS = {".mid": "music", ".midi": "music", ".wav": None, ".flac": None, ".ogg": None, ".mp3": None}
QPM = 96.0


def sample(
    source: Source = None,
    out: Annotated[
        list[Path] | None,
        typer.Option(
            "--out",
            readable=False,
            help="FILE.mid .wav .flac .ogg .mp3; repeatable.",
            rich_help_panel="What is written",
        ),
    ] = None,
    unit: Unit = None,
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            help="Take a model trained on this data set.",
            autocompletion=complete.data,
            rich_help_panel="Model and data",
        ),
    ] = None,
    n: Annotated[
        int, typer.Option("--n", help="How many songs; 3 writes FILE-1 to FILE-3.", rich_help_panel="What is drawn")
    ] = 1,
    steps: Annotated[
        int | None,
        typer.Option(
            "--steps", help="Length in steps: of the grid, or of 10 samples.", rich_help_panel="What is drawn"
        ),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option("--seconds", help="Length (default 30; speech 5).", rich_help_panel="What is drawn")
    ] = None,
    temperature: Annotated[
        float,
        typer.Option("--temperature", help="Below 1 cautious, above 1 adventurous.", rich_help_panel="What is drawn"),
    ] = 1.0,
    greedy: Annotated[
        bool, typer.Option("--greedy", help="Always the likelier value, no chance.", rich_help_panel="What is drawn")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", help="Same seed, same bytes.", rich_help_panel="What is drawn")] = 1,
    prime: Annotated[
        str | None,
        typer.Option(
            "--prime",
            help="How it begins: a file, DATA:INDEX (a test piece), or pitches.",
            rich_help_panel="What is drawn",
        ),
    ] = None,
    prime_steps: Annotated[
        int | None, typer.Option("--prime-steps", help="Use this much of the primer.", rich_help_panel="What is drawn")
    ] = None,
    keep_prime: Annotated[
        bool, typer.Option("--keep-prime", help="Write the primer before the song.", rich_help_panel="What is drawn")
    ] = False,
    qpm: Annotated[
        float, typer.Option("--qpm", help="Quarter notes a minute.", rich_help_panel="What is written")
    ] = QPM,
    restrike: Annotated[
        int,
        typer.Option(
            "--restrike", help="Strike held notes anew every N quarter notes.", rich_help_panel="What is written"
        ),
    ] = 0,
    program: Annotated[
        int, typer.Option("--program", help="General MIDI instrument, 0 to 127.", rich_help_panel="What is written")
    ] = 0,
    soundfont: Annotated[
        str | None,
        typer.Option(
            "--soundfont",
            help="Audio through FluidSynth: a SoundFont's file, or TimGM6mb.",
            rich_help_panel="What is written",
        ),
    ] = None,
    stats: Annotated[
        bool,
        typer.Option("--stats", help="Measures beside those of the training set.", rich_help_panel="What is written"),
    ] = False,
    runs: Runs = None,
    json: Json = False,
) -> None:
    """Draws songs or voices from a model and writes them, with a FILE.json that says how they came to be.

    Without SOURCE: the newest run that fits, else a released model.
    """
    outs = out or []
    kind = _kind(outs)
    _check_numbers(
        n=n, steps=steps, seconds=seconds, temperature=temperature, seed=seed, prime_steps=prime_steps, qpm=qpm
    )
    if prime is None and (prime_steps is not None or keep_prime):
        lone = "--keep-prime" if keep_prime else f"--prime-steps {prime_steps}"
        raise BadArgument(f"'{lone}' goes with a primer alone.", "Add --prime bach:0, or leave it out.")
    _check_playing(outs, restrike, program, soundfont)
    from gatedtui import compose

    if kind is None and source is None and prime is not None:
        kind = compose.kind_heard(prime, cache=paths.cache_folder())
    found = _sources(source, unit, data, kind, runs or paths.runs_folder())
    for one in found:
        output.say(one.described)
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
        restrike=restrike,
        program=program,
        soundfont=soundfont,
        stats=stats,
    )
    written: list[dict[str, Any]] = []
    places = [outs] if len(found) == 1 else [[_for_unit(out, unit) for out in outs] for unit in plan.UNITS]
    for one, own in zip(found, places, strict=True):
        compose.check_places(one, request, own)
    for one, own in zip(found, places, strict=True):
        with Bar() as bar:
            written += compose.compose(
                one, request, own, cache=paths.cache_folder(), mirror=paths.mirror(), progress=bar
            )
    if json:
        output.document(written)
        return
    for song in written:
        output.result(f"{'  '.join(song['files'])}   {_figures(song)}")
        if stats:
            _beside_training(song)
    output.say(f"play it:  gated play {shlex.quote(written[0]['files'][0])}")
    if len(found) > 1:
        output.say(f"compare:  gated listen {shlex.join(song['files'][0] for song in written[:9])}")


def _sources(source: str | None, unit: str | None, data: str | None, kind: str | None, runs: Path) -> "list[Found]":
    """The model that draws; with `--unit all` three of them, of one data set."""
    from gatedtui import sources

    plan.check_unit(unit)
    if data is not None and paths.exists(data):
        data = catalogue.entry(data, cache=paths.cache_folder()).name  # a folder's models know it by its whole path
    if unit != "all":
        try:
            return [sources.find(source, runs=runs, unit=unit, data=data, kind=kind)]
        except BadSource:
            if source is None and data is not None:
                catalogue.entry(data, cache=paths.cache_folder())  # a name that nothing has says so
            raise
    if source is not None:
        raise BadArgument(
            f"'--unit all' takes the newest model of each unit, not '{source}'.", "Leave out one of them."
        )
    wanted = data or str(sources.find(None, runs=runs, kind=kind).checkpoint.data["name"])
    return [sources.find(None, runs=runs, unit=own, data=wanted, kind=kind) for own in plan.UNITS]


def _for_unit(path: Path, unit: str) -> Path:
    """`song-gru.mid` for `song.mid`."""
    return path.with_name(f"{path.stem}-{unit}{path.suffix}")


def _beside_training(song: dict[str, Any]) -> None:
    """The sample's measures beside those of the training set."""
    from gatedtui.sound.distribution import Band, rows

    training = {name: Band(**band) for name, band in song["training"].items()}
    signs = {True: "", False: "unusual", None: ""}
    table = [[row.name, row.value, row.median, row.usual, signs[row.inside]] for row in rows(song, training)]
    output.table(["measure", "sample", "training", "middle 90 %", ""], table, right={1, 2})


def _check_playing(outs: list[Path], restrike: int, program: int, soundfont: str | None) -> None:
    """Checks what only matters once something is played or written."""
    if not 0 <= restrike <= 1000:
        raise BadArgument(f"--restrike must lie in 0..1000, not '{restrike}'.", "--restrike 4")
    if not 0 <= program <= 127:
        raise BadArgument(f"There is no MIDI program '{program}'.", "Programs are 0 to 127; 0 is a grand piano.")
    sounding = [path for path in outs if ENDINGS[path.suffix.lower()] is None]
    if program and sounding and soundfont is None:
        if len(sounding) == len(outs):
            hint = "Give a SoundFont too (--soundfont TimGM6mb), or write .mid."
            raise BadArgument(f"The built-in piano has no program '{program}'.", hint)
        output.say(f"'{sounding[0]}' is the built-in piano; program {program} is in the MIDI file.")
    if soundfont is not None:
        from gatedtui.sound import fluid

        fluid.soundfont(soundfont)


def _figures(song: dict[str, Any]) -> str:
    """What is worth knowing of a song or a voice at once, from its sidecar."""
    nll = f", {song['nll_frame']:.2f} nats a frame" if song["nll_frame"] is not None else ""
    if "rate_hz" not in song:
        return f"{song['steps']} step{'s' * (song['steps'] != 1)}{nll}, {song['polyphony']:.1f} notes at a time"
    seconds, louder = song["samples"] / song["rate_hz"], song["rms"] / song["training_rms"]
    return f"{seconds:.2f} s at {song['rate_hz']:,} Hz{nll}, {louder:.2f} times as loud as the training set"


def _kind(outs: list[Path]) -> str | None:
    if not outs:
        raise BadArgument("Where should the song go?", "gated sample --out song.mid")
    kinds = set()
    for path in outs:
        if path.suffix.lower() not in ENDINGS:
            guess = nearest(path.suffix.lower(), ENDINGS) or ".mid"
            ending = f"ends in '{path.suffix}', which is none" if path.suffix else "has no ending: it needs one"
            raise BadArgument(
                f"'{path}' {ending} of {' '.join(ENDINGS)}.",
                f"--out {path.stem or 'song'}{guess}",
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
    if steps is not None:
        from gatedtui.compose import MOST_STEPS

        if not 1 <= steps <= MOST_STEPS // n:
            hint = "gated sample --steps 256 --out song.mid"
            raise BadArgument(f"--steps must lie in 1..{MOST_STEPS // n}, not '{steps}'.", hint)
    for name, low, high in (("seconds", 0.01, 36_000.0), ("temperature", 1e-3, 1e3), ("qpm", 1.0, 1000.0)):
        value = values[name]
        if value is not None and not (math.isfinite(value) and low <= value <= high):
            raise BadArgument(f"--{name} must lie in [{low:g}, {high:g}], not '{value}'.", f"--{name} {max(low, 1):g}")
    if not 0 <= (values["seed"] or 0) < 2**63:
        raise BadArgument(f"--seed must be a whole number from 0, not '{values['seed']}'.", "--seed 7")
    if values["prime_steps"] is not None and values["prime_steps"] < 1:
        raise BadArgument(f"--prime-steps must be 1 or more, not '{values['prime_steps']}'.", "--prime-steps 32")
