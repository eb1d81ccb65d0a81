"""Single keys from the terminal, without Textual: for one line that listens while something plays."""

import contextlib
import os
import re
import select
import signal
import sys
import time
from types import FrameType, TracebackType
from typing import Any

_SEQUENCE = re.compile(rb"\x1b(?:\[[0-9;]*[A-Za-z~]|O[A-Za-z])")
_ARROWS = {b"A": "up", b"B": "down", b"C": "right", b"D": "left", b"H": "home", b"F": "end"}
_LATER_S = 0.05
"""An escape that nothing follows for so long is the key itself and not the beginning of an arrow."""


def parse(typed: bytes) -> tuple[list[str], bytes]:
    """Bytes from a terminal as names of keys, and what is left for want of its end.

    Printable characters stand for themselves, in lower case; the others are `left right up down home end enter escape`.
    Sequences and characters nobody waits for are passed over.
    """
    keys: list[str] = []
    while typed:
        if typed[:1] == b"\x1b":
            whole = _SEQUENCE.match(typed)
            if whole:
                keys += [_ARROWS[whole[0][-1:]]] if whole[0][-1:] in _ARROWS else []
                typed = typed[whole.end() :]
                continue
            if re.fullmatch(rb"\x1b(\[[0-9;]*|O)?", typed):
                return keys, typed
            keys.append("escape")
        elif typed[:1] in b"\r\n":
            keys.append("enter")
        elif 32 <= typed[0] < 127:
            keys.append(chr(typed[0]).lower())
        typed = typed[1:]
    return keys, b""


class Keys:
    """The terminal on standard input, giving each key at once and showing none, until it is left.

    However it is left, also by Ctrl-C, SIGTERM or an error, the terminal is put back as it was. Ctrl-C still raises
    KeyboardInterrupt, and so does SIGTERM; Ctrl-Z does nothing, since it would leave the shell with a mute terminal.
    """

    def __init__(self) -> None:
        self._before: list[Any] | None = None
        self._handlers: dict[signal.Signals, Any] = {}
        self._typed = b""
        self._since = 0.0
        self._closed = False

    def __enter__(self) -> "Keys":
        with contextlib.suppress(ImportError, OSError, ValueError):
            import termios

            self._before = termios.tcgetattr(sys.stdin.fileno())
            self._mute()
            self._handlers = {
                signal.SIGTERM: signal.signal(signal.SIGTERM, self._leave),
                signal.SIGCONT: signal.signal(signal.SIGCONT, self._again),
            }
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        if self._before is not None:
            import termios

            with contextlib.suppress(OSError, termios.error):  # the terminal may be gone
                termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, self._before)

    def read(self, timeout_s: float) -> list[str]:
        """The keys typed meanwhile, at once when there are some; `q` where the terminal is gone."""
        if self._closed:
            return ["q"]
        if self._before is None:  # not a terminal, or not one that can be asked for single keys
            time.sleep(timeout_s)
            return []
        stdin = sys.stdin.fileno()
        if select.select([stdin], [], [], min(timeout_s, _LATER_S) if self._typed else timeout_s)[0]:
            try:
                more = os.read(stdin, 1024)
            except OSError:
                more = b""
            self._closed = not more
            self._since = time.monotonic()
            keys, self._typed = parse(self._typed + more)
            return [*keys, "q"] if self._closed else keys
        if self._typed and time.monotonic() - self._since >= _LATER_S:
            self._typed = b""
            return ["escape"]
        return []

    def _mute(self) -> None:
        import termios

        wanted = termios.tcgetattr(sys.stdin.fileno())
        wanted[3] &= ~(termios.ICANON | termios.ECHO)
        wanted[6] = list(wanted[6])
        wanted[6][termios.VMIN], wanted[6][termios.VTIME] = 1, 0
        wanted[6][termios.VSUSP] = b"\0"
        termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, wanted)

    def _leave(self, number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    def _again(self, number: int, frame: FrameType | None) -> None:
        """After a stop by somebody else's SIGSTOP the shell has set the terminal as it likes."""
        with contextlib.suppress(Exception):
            self._mute()
