"""What the threads of several screens do alike: look for models, and ask child processes."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from textual.screen import Screen
from textual.worker import Worker

from gatedtui.errors import GatedError
from gatedtui.tui import models
from gatedtui.tui.answers import ModelsRead
from gatedtui.tui.messages import Trouble
from gatedtui.tui.songs import Ask


def look_for_models(screen: Screen[Any], runs: Path) -> None:
    """Looks for trained models and tells the screen; tells the app what is in the way."""
    try:
        found = tuple(models.find(runs))
    except GatedError as error:
        screen.app.post_message(Trouble(error.what, error.hint))
        found = ()
    screen.post_message(ModelsRead(found))


def child(run_json: Any, worker: Worker[Any]) -> Ask:
    """Asks `gated …` as a child that ends when the worker is cancelled.

    With one thread: on two cores that were busy, two took ten times as long.
    """

    def ask(words: Sequence[str]) -> Any:
        return run_json(words, cancelled=lambda: worker.is_cancelled, environ=os.environ | {"OMP_NUM_THREADS": "1"})

    return ask
