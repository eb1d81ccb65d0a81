"""`gated listen`: files, runs, released models and real pieces side by side, equally loud, or blind."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from gatedtui import atomic, paths
from gatedtui.cli import complete, output, pages
from gatedtui.cli.options import Json, Runs
from gatedtui.cli.progress import Bar
from gatedtui.errors import BadArgument, BadSource, unknown

if TYPE_CHECKING:
    from gatedtui.listen import blind as tests

MOST = 9
"""Clips side by side: one for each number key."""
PLACE = Path("listen")
"""The folder that `w` writes into."""


def listen(
    what: Annotated[
        list[str],
        typer.Argument(
            help="Audio or MIDI files, runs, released models, checkpoints, or DATA:INDEX.",
            autocompletion=complete.sounds,
        ),
    ],
    blind: Annotated[
        bool,
        typer.Option("--blind", help="A blind test: labels hidden, answers counted.", rich_help_panel="A blind test"),
    ] = False,
    task: Annotated[
        str | None,
        typer.Option(
            "--task",
            help="Blind: abx, prefer or real (which one is real?); default abx.",
            autocompletion=complete.words("abx", "prefer", "real"),
            rich_help_panel="A blind test",
        ),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option("--trials", help="Blind: how many presentations (default 10).", rich_help_panel="A blind test"),
    ] = None,
    excerpts: Annotated[
        int | None,
        typer.Option(
            "--excerpts", help="Blind: over so many pieces and seeds (default 1).", rich_help_panel="A blind test"
        ),
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option(
            "--results",
            readable=False,
            help="Blind: the file answers are added to (listen-results.json).",
            rich_help_panel="A blind test",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", readable=False, help="Write the clips into this folder.", rich_help_panel="Pages and files"
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html",
            readable=False,
            help="FILE.html: a page to hear them on; with --blind a test.",
            rich_help_panel="Pages and files",
        ),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option("--seconds", help="Length that models draw (default 30).", rich_help_panel="What models draw"),
    ] = None,
    temperature: Annotated[
        float,
        typer.Option(
            "--temperature", help="Below 1 cautious, above 1 adventurous.", rich_help_panel="What models draw"
        ),
    ] = 1.0,
    seed: Annotated[
        int,
        typer.Option(
            "--seed", help="Of every model's draw, and of the blind order.", rich_help_panel="What models draw"
        ),
    ] = 1,
    prime: Annotated[
        str | None,
        typer.Option(
            "--prime", help="How models begin: a file, DATA:INDEX or pitches.", rich_help_panel="What models draw"
        ),
    ] = None,
    prime_steps: Annotated[
        int | None,
        typer.Option("--prime-steps", help="Use this much of the primer.", rich_help_panel="What models draw"),
    ] = None,
    qpm: Annotated[
        float, typer.Option("--qpm", help="Quarter notes a minute.", rich_help_panel="What models draw")
    ] = 96.0,
    restrike: Annotated[
        int,
        typer.Option(
            "--restrike", help="Strike held notes anew every N quarter notes.", rich_help_panel="What models draw"
        ),
    ] = 0,
    soundfont: Annotated[
        str | None,
        typer.Option(
            "--soundfont",
            help="Play music through FluidSynth: a file, or TimGM6mb.",
            rich_help_panel="What models draw",
        ),
    ] = None,
    program: Annotated[
        int,
        typer.Option("--program", help="General MIDI instrument of the SoundFont.", rich_help_panel="What models draw"),
    ] = 0,
    runs: Runs = None,
    json: Json = False,
) -> None:
    """Puts clips side by side: one seed, primer, length and loudness; number keys switch and keep the place.

    With DATA:INDEX among them, models go on from that piece's beginning, and the piece itself is the real continuation.
    Without a sound card the pictures stay and the clips can be written as files.
    """
    from gatedtui.listen import blind as tests

    if not blind:
        _check_not_blind(task=task, trials=trials, excerpts=excerpts, results=results)
    task, trials, excerpts = task or "abx", 10 if trials is None else trials, 1 if excerpts is None else excerpts
    _check(what, task, tests.TASKS, locals())
    if out is not None and out.exists() and not out.is_dir():
        raise BadSource(f"'{out}' is not a folder.", "Give a folder's name: --out clips")
    if html is not None:
        pages.check_file(html, "--html")
    from gatedtui.listen.gather import Choice, gather
    from gatedtui.listen.items import Item, matched

    choice = Choice(
        seed=seed,
        seconds=seconds,
        temperature=temperature,
        prime=prime,
        prime_steps=prime_steps,
        qpm=qpm,
        restrike=restrike,
        soundfont=_soundfont(soundfont, program),
        program=program,
    )
    place = runs or paths.runs_folder()

    def collect(excerpt: int) -> list[Item]:
        with Bar() as bar:
            found = gather(
                what,
                replace(choice, excerpt=excerpt),
                runs=place,
                cache=paths.cache_folder(),
                mirror=paths.mirror(),
                progress=bar,
                say=output.say,
            )
        return matched(found)

    if blind and html is not None:
        _blind_page(what, collect, cast(tests.Task, task), trials, excerpts, seed, html)
        return
    if blind:
        from gatedtui.cli import blind as face

        face.run(
            collect,
            task=cast(tests.Task, task),
            trials=trials,
            excerpts=excerpts,
            seed=seed,
            results_file=results,
            out=out,
            json=json,
        )
        return
    items = collect(0)
    if out is not None:
        from gatedtui.listen.items import write_clips

        atomic.folder(out)
        for path in write_clips(items, out):
            output.say(f"wrote {path}")
    if html is not None:
        from gatedtui.page import clip, listening

        pages.write(html, listening.page(clip.clips(items, what), title=_title(choice, items).partition(" · ")[2]))
    if json or (html is None and not output.on_a_terminal()):
        _report(items, json=json)
    if json or html is not None or not output.on_a_terminal():
        return
    from gatedtui.tui.listen import run_listen

    run_listen(items, title=_title(choice, items), place=out or PLACE)


def _blind_page(
    what: Sequence[str],
    collect: Callable[[int], list[Any]],
    task: "tests.Task",
    trials: int,
    excerpts: int,
    seed: int,
    html: Path,
) -> None:
    """Writes a blind test as a page; its results are saved from the page."""
    from gatedtui.listen import blind as tests
    from gatedtui.page import blind as pages_blind
    from gatedtui.page import clip

    first = collect(0)
    order = tests.trials(task, trials, [item.kind == "real" for item in first], excerpts=excerpts, seed=seed)
    sets = [first, *(collect(excerpt) for excerpt in range(1, min(excerpts, trials)))]
    compressed = clip.clips([item for items in sets for item in items], list(what) * len(sets))
    split = [compressed[at : at + len(first)] for at in range(0, len(compressed), len(first))]
    pages.write(html, pages_blind.page(task, order, split, seed=seed))


def _check_not_blind(**typed: Any) -> None:
    """Refuses options of a blind test where none was asked for."""
    for name, value in typed.items():
        if value is not None:
            raise BadArgument(f"'--{name} {value}' goes with a blind test alone.", "Add --blind, or leave it out.")


def _check(what: Sequence[str], task: str, tasks: Sequence[str], values: dict[str, Any]) -> None:
    if task not in tasks:
        raise unknown("task", task, tasks)
    if len(what) > MOST:
        raise BadArgument(
            f"'{len(what)}' clips are too many side by side.", f"At most {MOST}: one for each number key."
        )
    for name, low, high in (("trials", 1, 1000), ("excerpts", 1, 100), ("restrike", 0, 1000)):
        if not low <= values[name] <= high:
            raise BadArgument(f"--{name} must lie in {low}..{high}, not '{values[name]}'.", f"--{name} {max(low, 1)}")
    for name, low, high in (("seconds", 0.1, 3600.0), ("temperature", 1e-3, 1e3), ("qpm", 4.0, 1000.0)):
        value = values[name]
        if value is not None and not (math.isfinite(value) and low <= value <= high):
            raise BadArgument(f"--{name} must lie in [{low:g}, {high:g}], not '{value}'.", f"--{name} {max(low, 1):g}")
    if not 0 <= values["seed"] < 2**62:
        raise BadArgument(f"--seed must be a whole number from 0, not '{values['seed']}'.", "--seed 7")
    if values["prime_steps"] is not None and values["prime_steps"] < 1:
        raise BadArgument(f"--prime-steps must be 1 or more, not '{values['prime_steps']}'.", "--prime-steps 32")


def _soundfont(name: str | None, program: int) -> Path | None:
    if name is None:
        if program:
            raise BadArgument(
                f"The built-in piano has no program '{program}'.", "Give a SoundFont too: --soundfont TimGM6mb"
            )
        return None
    from gatedtui.sound import fluid

    return fluid.soundfont(name)


def _title(choice: Any, items: Sequence[Any]) -> str:
    primed = next((item for item in items if item.primer_s), None)
    parts = [f"seed {choice.seed}", f"temperature {choice.temperature:.2f}"]
    if primed is not None:
        start = next((item.label for item in items if item.kind == "real"), choice.prime or "the primer")
        parts.insert(0, f"one primer: {start}, first {primed.primer_s:.3g} s")
    if not any(item.kind == "model" for item in items):
        parts = []
    return " · ".join(["listen", *parts, "equally loud"])


def _report(items: Sequence[Any], *, json: bool) -> None:
    """What there is to hear, as a table or as JSON."""
    if json:
        from gatedtui.listen.items import drawn_again

        output.document(
            [
                {
                    "label": item.label,
                    "kind": item.kind,
                    "content": item.content,
                    "unit": item.unit or None,
                    "source": item.source,
                    "seconds": item.duration_s,
                    "primer_s": item.primer_s,
                    "nll_frame": item.nll,
                    "statistics": item.statistics,
                    "command": drawn_again(item) or None,
                }
                for item in items
            ]
        )
        return
    rows = []
    for item in items:
        known = item.statistics
        rows.append(
            [
                item.label,
                item.kind,
                f"{item.duration_s:.1f} s",
                "–" if item.nll is None else f"{item.nll:.2f}",
                f"{known['polyphony']:.1f}" if "polyphony" in known else "–",
                f"{known['scale_consistency']:.0%}" if "scale_consistency" in known else "–",
            ]
        )
    output.table(["clip", "kind", "length", "nats/frame", "polyphony", "in scale"], rows, right={2, 3, 4, 5})
    output.say("On a terminal this becomes a screen to switch between them; --out DIR writes the clips.")
