import asyncio

from textual import events
from textual.app import App

from gatedtui.tui.screens.prompt import Prompt


def test_an_answer_typed_faster_than_it_is_drawn_is_taken_whole():
    answers = []

    class Asking(App[None]):
        def on_mount(self) -> None:
            self.push_screen(Prompt("Temperature", "1.0"), answers.append)

    async def script():
        async with Asking().run_test() as pilot:
            await pilot.pause()
            for key in ("0", ".", "8", "enter"):  # at once, as a busy machine hands them over
                pilot.app.post_message(events.Key({".": "full_stop"}.get(key, key), key if len(key) == 1 else "\r"))
            while not answers:
                await pilot.pause()

    asyncio.run(script())
    assert answers == ["0.8"]
