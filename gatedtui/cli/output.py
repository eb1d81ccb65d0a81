"""The only writer of stdout and stderr: results go to stdout, narration and errors to stderr."""

import codecs
import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
            f"The results cannot be written to stdout ({error.strerror}).", "Write them to another file or disk."
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
    say(f"error: {error.what}")
    if error.hint:
        say(f"  {error.hint}")


def table(columns: list[str], rows: list[list[str]], *, right: set[int] = frozenset()) -> None:  # type: ignore[assignment]
    """A table as aligned text on stdout, as wide as it needs to be.

    Args:
        columns: the headings.
        rows: cells, as many a row as there are headings.
        right: numbers of the columns that are flush right.
    """
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    for cells in [columns, *rows]:
        put = [c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(cells, widths, strict=True))]
        result("  ".join(put).rstrip())


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
            setattr(sys, name, Path(os.devnull).open("r" if name == "stdin" else "w"))
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
