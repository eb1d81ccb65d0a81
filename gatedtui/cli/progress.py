"""The one progress bar of the command line, on stderr: a redrawn line on a terminal, a few plain lines elsewhere."""

import time
from types import TracebackType

from gatedtui.cli import output

WIDTH = 24


class Bar:
    """Called with `(what, done, total)`; shows the share done and the time left. `total` 0 means unknown.

    Args:
        after_s: seconds during which nothing is said: for what is mostly over in a moment.
    """

    def __init__(self, *, after_s: float = 0.0) -> None:
        self._quiet_until = time.monotonic() + after_s
        self._what = ""
        self._began = 0.0
        self._drawn = 0.0
        self._told = 0

    def __call__(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if now < self._quiet_until:
            return
        if what != self._what:
            self._what, self._began, self._drawn, self._told = what, now, 0.0, 0
            if total <= 0 or not output.redraws():
                output.say(what)
        if total <= 0:
            return
        if output.redraws():
            if now - self._drawn >= 0.1 or done >= total:
                self._drawn = now
                output.again(self._picture(done, total, now - self._began))
        elif done * 4 // total > self._told and done < total:
            self._told = done * 4 // total
            output.say(f"  {self._told * 25} %")

    def _picture(self, done: int, total: int, seconds: float) -> str:
        full = WIDTH * min(done, total) // total
        left = "" if not done else f"  {seconds * (total - done) / done:.0f} s left"
        return f"{self._what} {'━' * full}{'╌' * (WIDTH - full)} {100 * done // total:3d} %{left}"

    def __enter__(self) -> "Bar":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        output.again("")
