"""`gated eval`: the NLL of a trained model on a split, in both weightings."""

from typing import Annotated

from typer import Option

from gatedtui import paths
from gatedtui.cli import complete, output
from gatedtui.cli.options import Json, Runs, Source
from gatedtui.cli.progress import Bar
from gatedtui.errors import unknown

SPLITS = ("train", "valid", "test")


def evaluate(
    source: Source = None,
    data: Annotated[
        str | None, Option("--data", help="Another data set than the model's own.", autocompletion=complete.data)
    ] = None,
    split: Annotated[
        str, Option("--split", help="train, valid or test.", autocompletion=complete.words(*SPLITS))
    ] = "test",
    runs: Runs = None,
    json: Json = False,
) -> None:
    """Scores a model: frames 2..T of every piece, weighted by frame and by piece."""
    if split not in SPLITS:
        raise unknown("split", split, SPLITS)
    from gatedtui import sources
    from gatedtui.data import prepare

    found = sources.find(source, runs=runs or paths.runs_folder())
    output.say(found.described)
    with Bar() as bar:
        name = data or found.checkpoint.data["name"]
        rate_hz = found.checkpoint.config.data.rate_hz if data is None else 0
        dataset = prepare.prepare(
            name, cache=paths.cache_folder(), mirror=paths.mirror(), rate_hz=rate_hz, progress=bar
        )
    from gatedtui import evaluate as evaluation  # loads torch: a second that a mistyped name need not wait for

    scored = evaluation.evaluate(found.checkpoint, dataset, split)
    if json:
        output.document(scored)
        return
    counts = scored["parameters"]
    output.result(
        f"{scored['data']} {split}: {scored['nll_frame']:.4f} nats a frame · {scored['nll_sequence']:.4f} a piece"
    )
    frames, pieces = scored["frames"], scored["sequences"]
    length = f"{frames:,} frame{'s' * (frames != 1)} in {pieces} piece{'s' * (pieces != 1)}"
    output.result(f"  {length}; {scored['joint']} outputs")
    output.result(
        f"  weights: {counts['recurrent']:,} recurrent, {counts['output']:,} output, {counts['total']:,} in all"
    )
