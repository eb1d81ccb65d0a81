"""What commands that write HTML pages do alike: checking what was typed, and writing the file."""

import math
from pathlib import Path

from gatedtui import atomic
from gatedtui.cli import output
from gatedtui.errors import BadArgument, BadSource

ENDINGS = (".html", ".htm")


def check_file(path: Path, flag: str) -> None:
    """Whether a page may be written there: asked before anything is drawn, which takes a while.

    Raises:
        BadArgument: another ending.
        BadSource: its folder does not exist, or it is one itself.
    """
    if path.suffix.lower() not in ENDINGS:
        hint = f"{flag} {path.stem or 'page'}.html"
        raise BadArgument(f"'{path}' ends in '{path.suffix}', which is not .html.", hint)
    if not path.parent.is_dir():
        raise BadSource(f"There is no folder '{path.parent}' to write '{path.name}' into.", f"mkdir -p '{path.parent}'")
    if path.is_dir():
        raise BadSource(f"'{path}' is a folder.", "Give the name of a file.")


def check_ranges(**given: tuple[float | None, float, float]) -> None:
    """Whether numbers lie in their ranges: value, lowest, highest by the option's name; None is not checked.

    Raises:
        BadArgument: one does not, NaN included.
    """
    for name, (value, low, high) in given.items():
        if value is not None and not (math.isfinite(value) and low <= value <= high):
            hint = f"--{name} {max(low, min(1.0, high)):g}"
            raise BadArgument(f"--{name} must lie in [{low:g}, {high:g}], not '{value}'.", hint)


def write(path: Path, text: str) -> None:
    """Writes the page, whole or not at all, and says so.

    Raises:
        BadSource: it cannot be written.
    """
    content = text.encode()
    atomic.write(path, content)
    output.result(f"{path}   {len(content) / 1e6:.1f} MB; open it in any browser")
