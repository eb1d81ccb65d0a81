"""What the shell offers after <Tab>: names from the runs folder, the cache and the package. Nothing heavy is loaded."""

from collections.abc import Callable, Iterable
from pathlib import Path

from typer import Context

from gatedtui import paths
from gatedtui.errors import GatedError

Offers = list[tuple[str, str]]
Offer = Callable[[Context, str], Offers]
NEWEST = 200
"""Runs that are looked into for what to say about them; of older ones only the names are offered."""


def _quietly(find: Callable[[Context], Iterable[tuple[str, str]]]) -> Offer:
    """The completion that offers what is found and begins with what was typed; what cannot be read offers nothing."""

    def offer(ctx: Context, incomplete: str) -> Offers:
        try:
            return [(word, why) for word, why in find(ctx) if word.startswith(incomplete)]
        except (GatedError, OSError):
            return []

    return offer


def _place(ctx: Context) -> Path:
    return Path(ctx.params.get("runs") or paths.runs_folder()).expanduser()


def _runs(ctx: Context) -> list[tuple[str, str]]:
    from gatedtui.runs import folder

    found = []
    for number, run in enumerate(folder.all_runs(_place(ctx))):
        try:
            config = run.config() if number < NEWEST else None
        except GatedError:
            config = None
        found.append((run.name, f"{config.model.unit} on {config.data.name}" if config else "a run"))
    return found


def _resumable(ctx: Context) -> list[tuple[str, str]]:
    from gatedtui.runs import folder
    from gatedtui.runs.status import status

    looked = [(run.name, status(run)) for run in folder.all_runs(_place(ctx))[:NEWEST]]
    return [(name, found.word) for name, found in looked if found.can_resume]


def _sweeps(ctx: Context) -> list[tuple[str, str]]:
    place = _place(ctx)
    return [(path.parent.name, "a sweep") for path in sorted(place.glob("*/sweep.toml"))]


def _released(_ctx: Context) -> list[tuple[str, str]]:
    return [(path.stem, "released") for path in sorted(paths.bundled("checkpoints").glob("*.safetensors"))]


def _data(_ctx: Context) -> list[tuple[str, str]]:
    from gatedtui.data import catalogue

    return [(entry.name, entry.title) for entry in catalogue.every(cache=paths.cache_folder())]


def _models(_ctx: Context) -> list[tuple[str, str]]:
    from gatedtui import modelfile

    return [(name, modelfile.load(name).title) for name in modelfile.names()]


def _recipes(_ctx: Context) -> list[tuple[str, str]]:
    from gatedtui import recipes

    return [(name, recipe.source.partition(":")[0]) for name, recipe in recipes.RECIPES.items()]


def _keys(_ctx: Context) -> list[tuple[str, str]]:
    from gatedtui import config

    return [(f"{key}=", "") for key in config.flat(config.RunConfig())]


def words(*known: str) -> Offer:
    """The completion of a fixed choice."""
    return _quietly(lambda _: [(word, "") for word in known])


runs = _quietly(_runs)
resumable = _quietly(_resumable)
running = _quietly(lambda ctx: [*_runs(ctx), *_sweeps(ctx)])
sweeps = _quietly(_sweeps)
sources = _quietly(lambda ctx: [*_runs(ctx), *_released(ctx)])
inputs = _quietly(lambda ctx: [(f"{name}:0", title) for name, title in _data(ctx)])
sounds = _quietly(lambda ctx: [*_runs(ctx), *_released(ctx), *((f"{name}:0", title) for name, title in _data(ctx))])
data = _quietly(_data)
models = _quietly(_models)
recipes = _quietly(_recipes)
settings = _quietly(_keys)
