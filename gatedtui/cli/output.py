"""The only writer of stdout and stderr: results go to stdout, narration and errors to stderr."""

import codecs
import io
import json
import os
import shutil
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatedtui.cli import layout
from gatedtui.errors import BadSource, GatedError

if TYPE_CHECKING:
    from rich.console import RenderableType


SPELLED = dict(zip("✓✔✗✖▲■●◆·–—×→★━╌←↑↓█⚠", "++xx^#o*---x>*#-<^v#!", strict=True)) | {"…": "...", "±": "+/-"}
"""What stands for a sign on a terminal that has no code for it; the word beside it says the same."""


def result(text: str = "") -> None:
    """One line of results, on stdout."""
    _put(text)


def document(value: Any) -> None:
    """One JSON document, on stdout; NaN and infinities become null."""
    _put(json.dumps(strict(value), indent=2, ensure_ascii=False, allow_nan=False))


def line(value: dict[str, Any]) -> None:
    """One JSON line, on stdout."""
    _put(json.dumps(strict(value), ensure_ascii=False, allow_nan=False))


def _put(text: str) -> None:
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        give_up_stdout()
        raise BadSource(
            f"The results cannot be written to 'stdout' ({error.strerror}).", "Write them to another file or disk."
        ) from None


def say(text: str = "") -> None:
    """One line of narration, on stderr."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def again(text: str) -> None:
    """Narration that replaces the line it stands on; only where stderr is a terminal that can do that."""
    if redraws():
        sys.stderr.write("\r\x1b[K" + text)
        sys.stderr.flush()


@contextmanager
def drawing() -> "Iterator[Callable[[RenderableType], None]]":
    """While inside, a picture on stderr that each call draws anew in its place; gone afterwards. For terminals only."""
    from rich.console import Console
    from rich.live import Live

    with Live(console=Console(stderr=True), auto_refresh=False, transient=True, redirect_stdout=False) as live:
        yield lambda picture: live.update(picture, refresh=True)


def complain(error: GatedError) -> None:
    """An error: what is wrong, then what to type."""
    again("")
    room = shutil.get_terminal_size().columns if sys.stderr.isatty() else None
    for line in layout.paragraph(f"error: {error.what}", width=room):
        say(line)
    if error.hint:
        copied = error.hint.startswith(("gated ", "--"))  # a command is never broken: it is there to be copied
        for line in [f"  {error.hint}"] if copied else layout.paragraph(f"  {error.hint}", width=room):
            say(line)


def table(
    columns: list[str],
    rows: list[list[str]],
    *,
    right: Collection[int] = (),
    spare: Sequence[str] = (),
    folds: bool = False,
) -> None:
    """A table as aligned text on stdout, as wide as it needs to be; on a terminal no wider than that, where it can be.

    Args:
        columns: the headings.
        rows: cells, as many a row as there are headings.
        right: numbers of the columns that are flush right.
        spare: headings of columns that a narrow terminal goes without, the first of them first.
        folds: whether the last column is text that may go on below itself.
    """
    room = width()
    lines, left_out = layout.table(columns, rows, right=right, spare=spare, folds=folds, width=room)
    for line in lines:
        result(line)
    if left_out:
        say(f"left out, because this terminal has {room} columns: {', '.join(left_out)}")


def fact(head: str, text: str) -> None:
    """A heading and what there is to say under it, on stdout; on a terminal folded behind the heading."""
    for line in layout.hanging(head, text, width=width()):
        result(line)


def width() -> int | None:
    """Columns of the terminal that stdout is; None where it is none, and lines are as long as they are."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def strict(value: Any) -> Any:
    """`value` with every number JSON cannot hold replaced by None."""
    if isinstance(value, dict):
        return {str(key): strict(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [strict(part) for part in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value


def on_a_terminal() -> bool:
    """Whether stdin, stdout and stderr are all terminals, and able to draw: only then is a live view drawn."""
    return sys.stdin.isatty() and sys.stdout.isatty() and redraws()


def redraws() -> bool:
    """Whether stderr is a terminal on which a line can be drawn anew; `TERM=dumb` cannot."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def spell() -> None:
    """Has stdout and stderr write signs they have no code for in ASCII, instead of failing (`LANG=C`, Latin-1).

    Where one of them was closed by whoever started us (`>&-`), what is written to it goes nowhere.
    """
    codecs.register_error("gated.spell", _spelled)
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("r" if name == "stdin" else "w"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="gated.spell")


def _spelled(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(SPELLED.get(sign, "?") for sign in error.object[error.start : error.end]), error.end


def give_up_terminal() -> None:
    """After the terminal went away: what is still written goes nowhere, instead of ending the program."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    os.close(nowhere)


def give_up_stdout() -> None:
    """After a reader such as `head` left: nothing more is written, and Python's own flush at exit stays quiet."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
