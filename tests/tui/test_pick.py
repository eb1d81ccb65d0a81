import asyncio

from textual import events
from textual.app import App

from gatedtui.tui.models import Model
from gatedtui.tui.screens.pick import Pick
from gatedtui.tui.widgets.entry import Entry

MODELS = [Model(f"gru-{number}", "", "gru", 46, 1, "bach", "music") for number in range(30)]


def pick(script):
    """What a list of thirty models gives after a script."""
    taken = []

    async def run():
        app = App[None]()
        async with app.run_test() as pilot:
            app.push_screen(Pick(MODELS), taken.append)
            await pilot.pause()
            await script(pilot, app.screen)
            await pilot.pause()

    asyncio.run(run())
    return taken


def test_home_end_g_and_shift_g_go_to_the_ends_of_the_list_but_are_typed_into_the_filter():
    async def script(pilot, screen):
        for key, at in (("end", 29), ("home", 0), ("G", 29), ("g", 0)):
            await pilot.press(key)
            assert screen.at == at
        await pilot.press("slash", "g", "G")
        assert screen.wanted == "gG"

    assert pick(script) == []


def test_a_filter_typed_at_once_is_taken_in_its_order_and_the_choice_is_made_once():
    async def script(pilot, screen):
        await pilot.press("slash")
        assert screen.focused is screen.query_one(Entry)
        for key in ("1", "backspace", "2", "7", "enter"):
            pilot.app.post_message(events.Key(key, key if len(key) == 1 else None))
        while screen.focused is not None:
            await pilot.pause()
        assert screen.wanted == "27" and screen.is_current
        for _ in range(2):
            pilot.app.post_message(events.Key("enter", None))

    assert pick(script) == [(MODELS[27],)]
