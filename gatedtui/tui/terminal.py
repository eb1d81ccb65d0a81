"""What both apps need of the terminal, the process and the machine around them."""

import asyncio
import contextlib
import ctypes
import gc
import os
import select
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from gatedtui.tui.gpu import Gpu, Watch

SIGNALS = (signal.SIGINT, signal.SIGTERM)
GUARD = """read -r word || { stty "$1" 0<&1; printf "$2"; }"""
"""A shell that waits for a word on its stdin, and puts the terminal (its stdout) right when that closes without one."""
RESET = "\\033[<u\\033[?1000l\\033[?1002l\\033[?1003l\\033[?1006l\\033[?1015l\\033[?1004l\\033[?2004l\\033[?2048l"
"""Ends what Textual asks of a terminal: reports of the mouse, the focus, pastes, sizes, and keys."""
SHOWN = "\\033[0m\\033[?7h\\033[?25h"
FULL = "\\033[?1049l"
BELOW = "\\r\\033[J"
"""What undoes the other half: the cursor comes back, the screen of before comes back, or what is below is cleared."""
SETTLED_S = 2.0
"""After which an app has made what it keeps."""
LOOK_S = 1.0
"""How often a terminal is looked at that may be gone."""


@contextlib.contextmanager
def guarded(*, full: bool) -> Iterator[None]:
    """Has the terminal put right even when this process is killed on the spot, which no handler of its own can do.

    A shell in a session of its own waits for the end of a pipe that only this process holds. Where there is no terminal
    or no shell, nothing is guarded. Where the terminal goes, so does this process.

    Args:
        full: whether the app takes the whole screen, and not a few lines below the prompt.
    """
    guard = None
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        saved = subprocess.run(["stty", "-g"], stdin=2, capture_output=True, check=True, timeout=5).stdout.strip()
        words = ["sh", "-c", GUARD, "sh", saved.decode(), RESET + (FULL if full else BELOW) + SHOWN]
        guard = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=2, stderr=subprocess.DEVNULL, start_new_session=True
        )
    over, typed_at = threading.Event(), os.isatty(0)
    if typed_at:  # a pipe hangs up too, when nothing more comes of it
        threading.Thread(target=_leave_with_terminal, args=(over,), name="terminal", daemon=True).start()
    try:
        yield
    finally:
        over.set()
        if typed_at:
            _leave_if_gone()  # what the view ended with was then only that it could not write
        if guard is not None:
            with contextlib.suppress(OSError, subprocess.SubprocessError):
                guard.communicate(b"bye\n", timeout=5)


def _leave_with_terminal(over: threading.Event) -> None:
    """Ends the process when the terminal has gone and no SIGHUP came: it is ignored, or the terminal never was ours.

    Textual 8.2 then stands still for good: the thread that reads spins, and the one that writes is dead (seen).
    """
    while not over.wait(LOOK_S):
        _leave_if_gone()


def _leave_if_gone() -> None:
    look = select.poll()
    look.register(0, 0)
    if any(found & select.POLLHUP for _, found in look.poll(0)):
        os._exit(128 + signal.SIGHUP)


def quieten_collector() -> None:
    """Spares keys the wait for whole passes of the garbage collector: 100 ms each two seconds while two runs trained.

    What exists now (code, styles) stays for good and is not looked through again; whole passes come 25 times as seldom.
    """
    gc.freeze()
    gc.set_threshold(5_000, 20, 25)


def let_go_of_closed_widgets() -> None:
    """Frees what closed screens leave behind: called now and then, as it takes 15 to 60 ms.

    A cache of Textual 8.2 keeps what closed widgets had drawn, 150 KB each time the help is opened, up to a thousand
    widgets' (measured); it holds two styles a widget, made anew in microseconds. The rest waits for a whole pass of the
    collector, which `quieten_collector` makes rare, and for the C library to give freed memory back.
    """
    with contextlib.suppress(ImportError, AttributeError):
        from textual._styles_cache import StylesCache

        StylesCache.get_inner_outer.cache_clear()  # pyright: ignore[reportFunctionMemberAccess]
    gc.collect()
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def take_signals(handlers: Mapping[signal.Signals, Callable[[], object]]) -> None:
    """Has the running event loop call these; the terminal is restored by an orderly end instead of being left raw.

    Outside the main thread nothing can be taken, and nothing is.
    """
    loop = asyncio.get_running_loop()
    for number, handler in handlers.items():
        with contextlib.suppress(RuntimeError, ValueError, NotImplementedError):
            loop.add_signal_handler(number, handler)


def give_signals_back(*numbers: signal.Signals) -> None:
    """Undoes `take_signals`."""
    loop = asyncio.get_running_loop()
    for number in numbers:
        with contextlib.suppress(RuntimeError, ValueError, NotImplementedError):
            loop.remove_signal_handler(number)


def wants_tracebacks() -> bool:
    """Whether `GATED_DEBUG=1` asks for tracebacks in place of sentences."""
    return os.environ.get("GATED_DEBUG") == "1"


def meter() -> Callable[[], tuple[float, int, Gpu | None]]:
    """A function that says how busy the machine has been since it was last called: percent of all cores, bytes of
    memory in use, and the GPUs where they say so."""
    import psutil

    psutil.cpu_percent(None)
    gpus = Watch()

    def measure() -> tuple[float, int, Gpu | None]:
        memory = psutil.virtual_memory()
        return psutil.cpu_percent(None), memory.total - memory.available, gpus.newest

    return measure


def free_bytes(path: Path) -> int:
    """Bytes free for this user where a path is or will be; a great many where nobody can say."""
    for place in (path, *path.absolute().parents):
        with contextlib.suppress(OSError):
            return shutil.disk_usage(place).free
    return 1 << 62
