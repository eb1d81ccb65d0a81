"""`gated gates`: what a trained model's gates do while it hears a piece."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from typer import Option

from gatedtui import paths
from gatedtui.cli import complete, output
from gatedtui.cli.options import Json, Runs, Source
from gatedtui.cli.progress import Bar
from gatedtui.errors import BadArgument

ALL = 10**9
"""Steps of a primer that is taken whole."""
MOST = 200_000
"""Steps of the longest piece: an hour's gates of 200 units take some gigabytes."""


def gates(
    source: Source = None,
    input: Annotated[
        str | None,
        Option(
            "--input",
            help="What it hears: DATA:INDEX (a test piece), a MIDI or sound file, pitches.",
            autocompletion=complete.inputs,
        ),
    ] = None,
    layer: Annotated[int, Option("--layer", help="Which layer, from 1.")] = 1,
    out: Annotated[Path | None, Option("--out", readable=False, help="FILE.svg: the heat-maps as a picture.")] = None,
    steps: Annotated[int | None, Option("--steps", help="Only the beginning.")] = None,
    brief: Annotated[
        bool, Option("--brief", help="JSON for a picture: three decimals, long pieces averaged over steps.")
    ] = False,
    runs: Runs = None,
    json: Json = False,
) -> None:
    """Shows how open each gate of each unit is at every step, which units hold on for long, and what surprises."""
    if input is None:
        raise BadArgument("What should it hear?", "gated gates --input bach:0")
    if out is not None and out.suffix.lower() != ".svg":
        raise BadArgument(f"'{out}' ends in '{out.suffix}', which is not .svg.", f"--out {out.stem or 'gates'}.svg")
    if steps is not None and steps < 1:
        raise BadArgument(f"--steps must be 1 or more, not '{steps}'.", "--steps 128")
    from gatedtui import compose, sources

    kind = compose.kind_heard(input, cache=paths.cache_folder()) if source is None else None
    found = sources.find(source, runs=runs or paths.runs_folder(), kind=kind)
    output.say(found.described)
    data = found.checkpoint.data
    with Bar() as bar:
        places = {"cache": paths.cache_folder(), "mirror": paths.mirror(), "progress": bar}
        if data["kind"] == "music":
            grid = int(data["steps_per_quarter"])
            piece = compose.read_primer(input, steps or ALL, grid=grid, **places)
        else:
            piece = compose.read_voice(input, steps or ALL, rate_hz=int(data["rate_hz"]), flag="--input", **places)
            piece = piece / data["scale"]
    from gatedtui import gates as core

    if (length := len(core.frames(piece))) > MOST:
        raise BadArgument(f"'{input}' lasts {length:,} steps, more than {MOST:,}.", "--steps 1000")
    about = {"source": str(found.path), "model": found.described, "data": data["name"], "input": input}
    about |= core.describe(found.checkpoint, piece, layer=layer, brief=brief)
    if out is not None:
        from gatedtui import atomic
        from gatedtui.page.gates import picture

        atomic.write(out, picture(about).encode())
    if json:
        output.line(about)
    else:
        _tell(about, out)


def _held(steps: Sequence[float]) -> str:
    """For how long the units hold on, given in rising order."""
    low, middle, high = steps[0], steps[len(steps) // 2], steps[-1]
    if math.isinf(high):
        return "holds for ever" if math.isinf(low) else f"holds {low:.1f} steps at least, some for ever"
    return f"holds {low:.1f} to {high:.1f} steps, in the middle {middle:.1f}"


def _tell(about: dict, out: Path | None) -> None:
    nll = f", {about['nll_frame']:.2f} nats a frame" if about["nll_frame"] is not None else ""
    length = f"{about['steps']} step{'s' * (about['steps'] != 1)}"
    output.result(f"{about['unit']} {about['hidden']} hears {about['input']}: {length}{nll}")
    proper = {name: gate for name, gate in about["gates"].items() if "mean" in gate}
    if not proper:
        output.result("  tanh units have no gates; the mean |h| of a unit says how hard it works")
    for name, gate in proper.items():
        held = sorted(gate.get("held_steps", []))
        words = [f"  {name}", f"mean {gate['mean']:.2f}", f"closed {gate['closed']:4.0%}", f"open {gate['open']:4.0%}"]
        if held:
            words.append(_held(held))
        output.result("   ".join(words))
    if out is not None:
        output.result(f"  {out}")
