"""What both apps need of the terminal and the process around them, where Textual leaves it to its users."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping

SIGNALS = (signal.SIGINT, signal.SIGTERM)


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
