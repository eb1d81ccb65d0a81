"""The names users gave to folders of their own (`gated data import`), kept as one small file in the cache."""

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from gatedtui import atomic, strict_json
from gatedtui.errors import BadArgument, BadSource

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
FORMAT = 1


@dataclass(frozen=True)
class Import:
    """A folder that was read under a name."""

    name: str
    path: str
    """The folder, absolute."""
    kind: str
    """"music" or "speech"."""
    rate_hz: int
    """Speech: samples in a second."""
    transposed: bool
    """Music: whether every piece was moved to C major or A minor."""


def registry(cache: Path) -> Path:
    """The file."""
    return cache / "imports.json"


def read(cache: Path) -> dict[str, Import]:
    """All imports by name; empty when nothing was imported yet.

    Raises:
        BadSource: the file cannot be read or is damaged.
    """
    path = registry(cache)
    try:
        content = strict_json.loads(path.read_text("utf-8"))
        if content["format"] != FORMAT:
            raise ValueError(f"format {content['format']}")
        found = [_checked(Import(**fields)) for fields in content["imports"]]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadSource(
            f"The list of imported data '{path}' cannot be read ({' '.join(str(error).split())}).",
            "Remove the file and import the folders again: gated data import NAME PATH",
        ) from error
    return {one.name: one for one in found}


def add(one: Import, cache: Path) -> None:
    """Adds an import, or replaces the one of that name. The caller holds the lock `imports.json.lock`.

    Raises:
        BadSource: the cache cannot be written.
    """
    every = read(cache) | {one.name: one}
    content = {"format": FORMAT, "imports": [asdict(every[name]) for name in sorted(every)]}
    atomic.write(registry(cache), (json.dumps(content, indent=2) + "\n").encode())


def check_name(name: str) -> None:
    """Raises BadArgument unless a folder may be given this name."""
    if not NAME.fullmatch(name):
        raise BadArgument(
            f"The name {name[:80]!r} cannot be given to data.",
            "Names are a letter and up to 39 letters, digits, - and _, as my-songs.",
        )


def _checked(one: Import) -> Import:
    if not NAME.fullmatch(one.name) or one.kind not in ("music", "speech") or not Path(one.path).is_absolute():
        raise ValueError(f"the entry {one.name!r}")
    if type(one.rate_hz) is not int or type(one.transposed) is not bool:
        raise ValueError(f"the entry {one.name!r}")
    return one
