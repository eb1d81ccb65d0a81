"""What was closed is let go."""

import weakref

from gatedtui.tui.app import GatedApp
from gatedtui.tui.terminal import let_go_of_closed_widgets
from gatedtui.tui.widgets.lines import Lines

from .conftest import drive


def test_what_closed_screens_had_drawn_is_let_go(three, runs):
    drawn = []

    async def script(pilot):
        for _ in range(4):
            await pilot.press("question_mark")
            await pilot.pause(0.05)
            drawn.append(weakref.ref(pilot.app.screen.query_one(Lines)._styles_cache))
            await pilot.press("escape")
            await pilot.pause(0.05)
        let_go_of_closed_widgets()
        # The last one may still be in a variable of the event loop.
        assert [one() for one in drawn[:-1]] == [None] * 3

    drive(GatedApp(runs), script)
