import asyncio

import pytest
from textual import events
from textual.app import App

from gatedtui.tui.editing import Edit
from gatedtui.tui.screens.prompt import Prompt
from gatedtui.tui.widgets.entry import Entry

NAMES = {".": "full_stop"}


def answers_to(keys, *, size=(80, 24)):
    """What a prompt about 1.0 gives for keys that come at once, as a busy machine hands them over."""
    answers = []

    class Asking(App[None]):
        def on_mount(self) -> None:
            self.push_screen(Prompt("Temperature", "1.0"), answers.append)

    async def script():
        async with Asking().run_test(size=size) as pilot:
            await pilot.pause()
            for key in keys:
                pilot.app.post_message(events.Key(NAMES.get(key, key), key if len(key) == 1 else None))
            while not answers:
                await pilot.pause()
            await pilot.pause()
            assert len(pilot.app.screen_stack) == 1 and pilot.app.is_running

    asyncio.run(script())
    return answers


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (["0", ".", "8", "enter"], "0.8"),
        (["2", "backspace", "0", ".", "5", "enter"], "0.5"),
        (["end", "5", "home", "2", "enter"], "21.05"),
        (["left", "delete", "7", "enter"], "1.7"),
        (["backspace", "3", "enter"], "3"),
        (["enter"], "1.0"),
    ],
)
def test_keys_faster_than_they_are_drawn_are_taken_in_their_order(keys, answer):
    assert answers_to(keys) == [answer]


@pytest.mark.parametrize("keys", [["enter", "enter"], ["escape", "escape"], ["2", "enter", "escape"]])
def test_an_answer_is_given_once_however_quickly_keys_follow(keys):
    assert answers_to(keys) == [None if "enter" not in keys else "2" if "2" in keys else "1.0"]


def test_a_click_puts_the_cursor_into_the_answer():
    async def script():
        app = App[None]()
        async with app.run_test() as pilot:
            app.push_screen(Prompt("What does it hear?", "bach:3"))
            await pilot.pause()
            await pilot.click(Entry, offset=(4, 0))
            await pilot.press("x")
            assert app.screen.query_one(Entry).value == "bachx:3"

    asyncio.run(script())


def test_a_click_on_a_text_that_is_cut_counts_what_is_seen():
    assert Edit("abcdefghij", 10).pointed(2, 5).at == 8
    assert Edit("日本語", 0).pointed(2, 20).at == 1
    assert Edit("abc", 0).pointed(40, 20).at == 3
