"""`gated models list|show`: the model files, their sizes and the paper's."""

from typing import Annotated

import typer

from gatedtui import modelfile
from gatedtui.cli import complete, output
from gatedtui.cli.help import Command, Group

models_app = typer.Typer(
    cls=Group,
    rich_markup_mode=None,
    help="Model files: sizes and parameter counts beside the paper's.",
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
    """The bundled models."""
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


@models_app.command(cls=Command)
def show(
    model: Annotated[str, typer.Argument(help="A model's name or file.", autocompletion=complete.models)],
    json: Json = False,
) -> None:
    """One model: its sizes, how they are counted, and the paper's figures."""
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
