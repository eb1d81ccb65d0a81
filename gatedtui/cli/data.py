"""`gated data list|info|fetch|import`: the data sets, prepared once and kept in the cache."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gatedtui import paths
from gatedtui.cli import complete, output
from gatedtui.cli.help import Command, Group
from gatedtui.cli.options import Json
from gatedtui.cli.progress import Bar
from gatedtui.data import catalogue
from gatedtui.data.catalogue import Entry

if TYPE_CHECKING:
    from gatedtui.data.dataset import DataSet

data_app = typer.Typer(
    cls=Group,
    rich_markup_mode=None,
    help="Data sets: list, look, fetch, and import folders of your own.",
    no_args_is_help=True,
)
Mirror = Annotated[str | None, typer.Option("--mirror", help="A folder or URL tried first (or GATED_MIRROR).")]
Names = Annotated[
    list[str] | None, typer.Argument(help="Names of data sets, or paths of folders.", autocompletion=complete.data)
]
Rate = Annotated[int, typer.Option("--rate-hz", help="Samples a second for a folder of recordings (8000).")]
SPLITS = ("train", "valid", "test")
KINDS = {"music": "music", "speech": "sound"}
"""What the kinds are called here: vowels that nobody said, or a folder of bird song, are no speech."""
SKIPPED_SHOWN = 20
"""Lines of the list of skipped files that are printed; --json has them all."""


@data_app.command("list", cls=Command)
def list_data(names: Names = None, mirror: Mirror = None, json: Json = False) -> None:
    """The data sets there are, or those of these names, and whether they are ready to be used."""
    cache = paths.cache_folder()
    entries = [catalogue.entry(name, cache=cache) for name in names] if names else catalogue.every(cache=cache)
    if json:
        output.document([_entry(entry) | {"ready": _readiness(entry, cache) == "yes"} for entry in entries])
        return
    rows = [[e.name, KINDS[e.kind], _readiness(e, cache), e.title] for e in entries]
    output.table(["name", "kind", "ready", "what"], rows, folds=True)
    output.say("gated data info NAME tells sizes, source and licence.")
    if place := mirror or paths.mirror():
        output.say(f"Fetching looks in '{place}' first.")


@data_app.command(cls=Command)
def fetch(names: Names = None, mirror: Mirror = None, rate_hz: Rate = 0, json: Json = False) -> None:
    """Prepares data sets in the cache, so that training needs nothing else."""
    found = _prepared(names or ["bach"], mirror, rate_hz)
    if json:
        output.document([_entry(entry) | {"digest": data.digest, "pieces": _pieces(data)} for entry, data in found])
        return
    for entry, data in found:
        _outcome(entry.name, data)


@data_app.command("import", cls=Command)
def import_data(
    name: Annotated[str, typer.Argument(help="The name to give.")],
    path: Annotated[
        Path, typer.Argument(readable=False, help="A folder of MIDI or MusicXML files, or of audio files.")
    ],
    rate_hz: Rate = 0,
    transpose: Annotated[bool, typer.Option("--transpose", help="Move music to C major or A minor.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Even if the name stands for another folder.")] = False,
    mirror: Annotated[
        str | None, typer.Option("--mirror", help="Taken as elsewhere; a folder of your own needs none.")
    ] = None,
    json: Json = False,
) -> None:
    """Gives a folder of your own a name, and prepares it as it is now."""
    from gatedtui.data import describe, prepare

    cache = paths.cache_folder()
    with Bar() as bar:
        data = prepare.import_folder(
            name, path, cache=cache, rate_hz=rate_hz, transposed=transpose, overwrite=replace, progress=bar
        )
    if json:
        output.document(_entry(catalogue.entry(name, cache=cache)) | describe.describe(data))
        return
    _outcome(name, data)
    output.say(f"  gated train --data {shlex.quote(name)}")


@data_app.command(cls=Command)
def info(names: Names = None, mirror: Mirror = None, rate_hz: Rate = 0, json: Json = False) -> None:
    """What a data set holds, and the NLL of guessing each frame without looking at those before it."""
    from gatedtui.data import describe

    found = [_entry(entry) | describe.describe(data) for entry, data in _prepared(names or ["bach"], mirror, rate_hz)]
    if json:
        output.document(found[0] if len(found) == 1 else found)
        return
    for number, about in enumerate(found):
        if number:
            output.result()
        _picture(about)


def _prepared(names: list[str], mirror: str | None, rate_hz: int) -> list[tuple[Entry, "DataSet"]]:
    """The sets of these names; all names are checked before any set is made."""
    from gatedtui.data import prepare

    cache = paths.cache_folder()
    entries = [catalogue.entry(name, cache=cache, rate_hz=rate_hz) for name in names]
    found = []
    for name, entry in zip(names, entries, strict=True):
        with Bar() as bar:
            data = prepare.prepare(name, cache=cache, mirror=mirror or paths.mirror(), rate_hz=rate_hz, progress=bar)
        found.append((entry, data))
    return found


def _entry(entry: Entry) -> dict[str, Any]:
    keys = ("name", "title", "kind", "licence", "source", "offline", "imported", "steps_per_quarter", "rate_hz")
    return {key: getattr(entry, key) for key in keys}


def _readiness(entry: Entry, cache: Path) -> str:
    if catalogue.cache_file(entry.name, cache=cache).exists():
        return "yes"
    return "on first use" if entry.offline else "after fetch"


def _pieces(data: "DataSet") -> dict[str, int]:
    return {split: len(data.splits[split]) for split in SPLITS}


def _outcome(name: str, data: "DataSet") -> None:
    """Two lines on what was prepared, and what was not."""
    skipped = sum(note.startswith("skipped ") for note in data.notes)
    output.result(f"{name}: {'/'.join(map(str, _pieces(data).values()))} pieces, digest {data.digest[:12]}")
    if skipped:
        were = "file was" if skipped == 1 else "files were"
        output.say(f"  {skipped} {were} skipped; gated data info {shlex.quote(name)} says why")


def _picture(about: dict[str, Any]) -> None:
    """All that `info` knows, for a reader."""
    music = about["kind"] == "music"
    output.result(f"{about['name']}: {about['title']}")
    columns = ["", "pieces", "frames" if music else "samples", "shortest", "median", "longest"]
    rows = []
    for split in SPLITS:
        lengths = about[f"{split}_lengths"] or ["-"] * 3
        numbers = [about[f"{split}_pieces"], about[f"{split}_frames"], *lengths]
        rows.append([split, *(f"{n:,}" if isinstance(n, int) else n for n in numbers)])
        if not music:
            rows[-1].append(f"{about[f'{split}_seconds']:,.1f}")
    output.table(columns if music else [*columns, "seconds"], rows, right=set(range(1, 7)))
    if music:
        low, high = about["pitch_range"] or ("-", "-")
        output.result(
            f"grid           {about['steps_per_quarter']} to a quarter note, MIDI pitches {low} to {high}, "
            f"{about['notes_per_frame']:.2f} notes a frame"
        )
    else:
        level, peak = (round(about[key], 1) + 0.0 for key in ("level_dbfs", "peak_dbfs"))
        cut = f", in windows of {about['window']:,}" if about["window"] else ""
        output.result(
            f"sound          {about['rate_hz']:,} Hz{cut}, std {about['std']:.4f} of full scale ({level} dBFS), "
            f"peak {peak} dBFS"
        )
    guess = "each pitch by its frequency" if music else "each sample by the mean and deviation of all"
    output.result(
        f"marginal NLL   {about['marginal_nll_frame']:.2f} nats a frame · {about['marginal_nll_sequence']:.2f} a piece "
        f"(test part, {guess} in training)"
    )
    for key in ("licence", "source", "digest"):
        output.fact(f"{key:14} ", str(about[key]))
    for note in about["notes"]:
        output.fact(f"{'note':14} ", note)
    for line in about["skipped"][:SKIPPED_SHOWN]:
        output.result(f"{'skipped':14} {line}")
    if len(about["skipped"]) > SKIPPED_SHOWN:
        output.result(f"{'':14} and {len(about['skipped']) - SKIPPED_SHOWN} more; --json lists them all")
