"""The command palette's entries: every key's action, under the words of the help."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from textual.app import App, SystemCommand
from textual.binding import Binding
from textual.dom import DOMNode
from textual.screen import Screen

from gatedtui.tui.screens.help import key_text

HIDDEN = ("command_palette",)
"""Actions that make no sense from within the palette."""


def commands(app: App[Any], screen: Screen[Any]) -> Iterator[SystemCommand]:
    """What can be done on this screen and everywhere, each once."""
    told: set[str] = set()
    for owner in (screen, app):
        for binding in owner.BINDINGS:
            if not isinstance(binding, Binding) or not binding.description or binding.action in HIDDEN:
                continue
            if binding.action in told or not owner.check_action(binding.action.partition("(")[0], ()):
                continue
            told.add(binding.action)
            title = binding.description[0].upper() + binding.description[1:]
            yield SystemCommand(title, f"key {key_text(binding)}", partial(_run, app, binding.action, owner))


async def _run(app: App[Any], action: str, owner: DOMNode) -> None:
    await app.run_action(action, owner)
