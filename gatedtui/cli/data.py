"""`gated data list|info|fetch`: the data sets, prepared once and kept in the cache."""

from typing import Annotated, Any

import typer

from gatedtui import paths
from gatedtui.cli import output
from gatedtui.cli.options import Json
from gatedtui.cli.progress import Bar
from gatedtui.data import catalogue

data_app = typer.Typer(help="Data sets: list, look, fetch.", no_args_is_help=True)
Mirror = Annotated[str | None, typer.Option("--mirror", help="A folder or URL tried first (or GATED_MIRROR).")]
Names = Annotated[list[str] | None, typer.Argument(help="Names of data sets.")]


@data_app.command("list")
def list_data(json: Json = False) -> None:
    """The data sets there are."""
    entries = [entry for entry in catalogue.CATALOGUE.values() if not entry.hidden]
    if json:
        output.document([_entry(entry) for entry in entries])
        return
    output.table(["name", "kind", "what", "licence"], [[e.name, e.kind, e.title, e.licence] for e in entries])


def _entry(entry: catalogue.Entry) -> dict[str, Any]:
    keys = ("name", "title", "kind", "licence", "source", "steps_per_quarter", "rate_hz")
    return {key: getattr(entry, key) for key in keys}


@data_app.command()
def fetch(names: Names = None, mirror: Mirror = None) -> None:
    """Prepares data sets in the cache, so that training needs nothing else.

    Example: gated data fetch bach
    """
    from gatedtui.data import prepare

    for name in names or ["bach"]:
        with Bar() as bar:
            data = prepare.prepare(name, cache=paths.cache_folder(), mirror=mirror or paths.mirror(), progress=bar)
        pieces = "/".join(str(len(data.splits[split])) for split in ("train", "valid", "test"))
        output.say(f"{name}: {pieces} pieces, digest {data.digest[:12]}")


@data_app.command()
def info(names: Names = None, mirror: Mirror = None, json: Json = False) -> None:
    """What a data set holds, and the NLL of guessing each pitch by its frequency.

    Example: gated data info bach --json
    """
    from gatedtui.data import describe, prepare

    found = []
    for name in names or ["bach"]:
        entry = catalogue.entry(name)
        with Bar() as bar:
            data = prepare.prepare(name, cache=paths.cache_folder(), mirror=mirror or paths.mirror(), progress=bar)
        found.append(_entry(entry) | describe.describe(data))
    if json:
        output.document(found[0] if len(found) == 1 else found)
        return
    for about in found:
        for key, value in about.items():
            output.result(f"{key:22} {value}")
        output.result()
