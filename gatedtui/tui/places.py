"""The screens of the strip: their names and keys, and where they are made."""

import importlib
from typing import Any

from textual.screen import Screen

SCREENS = {
    "Dashboard": ("1", "dashboard"),
    "Compare": ("2", "compare"),
    "Runs": ("3", "runs"),
    "Samples": ("4", "samples"),
    "Gates": ("5", "gates"),
    "Sweep": ("6", "sweep"),
}
"""The class, made without arguments when it is first shown, its key, and its module."""


def there() -> list[tuple[str, str]]:
    """Key and name of each, in order."""
    return [(key, name) for name, (key, _) in SCREENS.items()]


def screen_class(name: str) -> type[Screen[Any]]:
    """The screen of this name; its module is imported when it is first wanted."""
    return getattr(importlib.import_module(f"gatedtui.tui.screens.{SCREENS[name][1]}"), name)


def made(name: str) -> Screen[Any]:
    """The screen of this name, made."""
    return screen_class(name)()
