"""`gated models list|show`: the model files, their sizes and the paper's."""

from typing import Annotated

import typer

from gatedtui import modelfile
from gatedtui.cli import complete, output
from gatedtui.cli.help import Command, Group
from gatedtui.errors import BadArgument
from gatedtui.tui import models as trained

models_app = typer.Typer(
    cls=Group,
    rich_markup_mode=None,
    help="Model files, with sizes and parameter counts beside the paper's, and the released models.",
    no_args_is_help=True,
)
Json = Annotated[bool, typer.Option("--json", help="One JSON document.")]


def _as_dict(file: modelfile.ModelFile) -> dict[str, object]:
    inputs, outputs = modelfile.WIDTHS[file.model.head]
    return {
        "name": file.name,
        "title": file.title,
        "kind": file.kind,
        "unit": file.model.unit,
        "hidden": file.model.hidden,
        "layers": file.model.layers,
        "head": file.model.head,
        "inputs": inputs,
        "outputs": outputs,
        "parameters": modelfile.parameters(file.model),
        "paper": file.paper,
    }


@models_app.command("list", cls=Command)
def list_models(json: Json = False) -> None:
    """The model files, which say what to train, and the released models, which are trained."""
    files = [modelfile.load(name) for name in modelfile.names()]
    if json:
        output.document([_as_dict(file) for file in files])
        return
    rows = []
    for file in files:
        counts = modelfile.parameters(file.model)
        sizes = [f"{counts[key]:,}" for key in ("recurrent", "output", "total")]
        rows.append(
            [file.name, file.model.unit, str(file.model.hidden), *sizes, str(file.paper.get("parameters", "-"))]
        )
    columns = ["model", "unit", "units", "recurrent", "output", "total", "paper"]
    output.table(columns, rows, right={2, 3, 4, 5, 6})
    output.result()
    found = [[one.name, one.unit, str(one.hidden), one.data] for one in trained.released()]
    output.table(["released", "unit", "units", "data"], found, right={2})
    output.say("gated train --model MODEL trains one; gated sample, listen, eval and gates take a released one's name.")


def _made_as(name: str, model: trained.Model) -> bool:
    """Whether a trained model has the sizes of the model file of this name."""
    file = modelfile.load(name)
    own = file.model
    return (file.kind, own.unit, own.hidden, own.layers) == (model.kind, model.unit, model.hidden, model.layers)


@models_app.command(cls=Command)
def show(
    model: Annotated[str, typer.Argument(help="A model's name or file.", autocompletion=complete.models)],
    json: Json = False,
) -> None:
    """One model: its sizes, how they are counted, and the paper's figures."""
    released = {one.name: one for one in trained.released()}
    if model in released and model not in modelfile.names():
        own = next((name for name in modelfile.names() if _made_as(name, released[model])), None)
        hint = f"gated models show {own} tells its sizes; " if own else ""
        raise BadArgument(f"'{model}' is a released model, not a model file.", f"{hint}gated eval {model} scores it.")
    file = modelfile.load(model)
    if json:
        output.document(_as_dict(file))
        return
    counts, part = modelfile.parameters(file.model), file.model
    inputs, outputs = modelfile.WIDTHS[part.head]
    gates, peepholes = modelfile.GATES[part.unit], modelfile.PEEPHOLES.get(part.unit)
    output.result(f"{file.name}: {file.title}")
    output.result(f"  inputs I = {inputs}, units H = {part.hidden}, layers = {part.layers}, outputs = {outputs}")
    output.result(
        f"  recurrent  {counts['recurrent']:>9,}   {gates}·H·(I + H + 1){f' + {peepholes}·H' if peepholes else ''}"
        + (", each layer" if part.layers > 1 else "")
    )
    output.result(f"  output     {counts['output']:>9,}   weights and biases of the {part.head} head")
    output.result(f"  total      {counts['total']:>9,}")
    if file.paper:
        output.result(
            f"  paper      {file.paper.get('parameters', '-'):>9}   {file.paper.get('units', '-')} units (as recalled)"
        )
        output.result(f"  {file.paper.get('note', '')}")
        for split in ("train", "test"):
            figures = ", ".join(f"{name} {float(value):.2f}" for name, value in file.paper.get(split, {}).items())
            if figures:
                output.result(f"  paper's {split} NLL, nats a frame (Table 2, as recalled): {figures}")
