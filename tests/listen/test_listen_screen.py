"""The listening screen, driven by keys, with something that stands for the sound."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from gatedtui.listen.items import Item, matched
from gatedtui.listen.player import Outcome
from gatedtui.sound.piano import RATE_HZ
from gatedtui.tui import listen_lines, looks
from gatedtui.tui.listen import ListenApp, run_listen


class Sound:
    """What plays, as far as the screen needs it."""

    def __init__(self, duration_s, silent=False):
        self.duration_s, self.position_s, self.clip = duration_s, 0.0, 0
        self.playing = self.looping = False
        self.outcome = None
        if silent:
            what = "Cannot play 'a' here: PortAudio is missing, and no player is on PATH."
            self.outcome = Outcome(Path("a"), "silent", "", 0.0, duration_s, what)

    def poll(self):
        return self.outcome

    def toggle(self):
        self.playing = not self.playing

    def seek(self, place_s):
        self.position_s = min(max(place_s, 0.0), self.duration_s)

    def switch(self, clip):
        self.clip = clip

    def loop(self, wanted):
        self.looping = wanted

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.closed = True


def clips():
    roll = np.zeros((32, 88), np.uint8)
    roll[:16, [39, 43, 46]] = roll[16:, [40, 45]] = 1
    sound = (0.1 * np.sin(np.arange(5 * RATE_HZ) * 0.05)).astype(np.float32)
    both = np.repeat(sound[:, None], 2, axis=1)
    music = {"content": "music", "roll": roll, "step_s": 0.15, "statistics": {"polyphony": 3.25}}
    return matched(
        [
            Item("bach:3", "real", both, RATE_HZ, "bach, test piece 3", primer_s=1.2, **music),
            Item("gru [red]\x1b[2J", "model", both, RATE_HZ, "a run", unit="gru", nll=2.613, **music),
            Item("voice.wav", "file", both[: 3 * RATE_HZ], RATE_HZ, "file voice.wav"),
        ]
    )


def text(app):
    lines = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in line).rstrip() for line in lines)


def drive(sound, keys, size=(80, 24), place=Path("nowhere"), then=None):
    """What the screen shows after these keys."""

    async def run():
        app = ListenApp(clips(), sound, title="seed 1 · equally loud", place=place)
        async with app.run_test(size=size) as pilot:
            await pilot.pause(0.15)
            for key in keys:
                await pilot.press(key)
                await pilot.pause(0.02)
            await pilot.pause(0.15)
            if then is not None:
                await then(app, pilot)
            return text(app)

    return asyncio.run(run())


def test_every_clip_has_a_title_and_a_picture():
    shown = drive(Sound(5.0), [])
    titles = [line for line in shown.splitlines() if "◇" in line or "●" in line or "♪" in line]
    assert [title[:7] for title in titles] == ["▸1  ◇ b", " 2  ● g", " 3  ♪ v"]
    assert "2.61 nats a frame   polyphony 3.2" in titles[1]
    assert "the real one" in titles[0]
    assert "‖ 0:00/0:05" in titles[0]
    assert "seed 1 · equally loud" in shown
    assert "C4" in shown
    assert sum("⣿" in line for line in shown.splitlines()) >= 2, "the file's waveform"
    assert "\x1b" not in shown


def test_number_keys_switch_and_the_place_stays():
    sound = Sound(5.0)
    shown = drive(sound, ["space", "right", "3"])
    assert (sound.clip, sound.position_s, sound.playing) == (2, 5.0, True)
    assert "▸3  ♪ voice.wav" in shown
    assert "▶ 0:05/0:05" in shown
    drive(sound, ["up", "left", "9", "l"])
    assert (sound.clip, sound.position_s, sound.looping) == (1, 0.0, True)


def test_the_head_stands_where_it_is_heard():
    columns = {}
    for place_s in (0.0, 2.5):
        sound = Sound(5.0)
        sound.position_s = place_s
        shown = drive(sound, [])
        rows = [line for line in shown.splitlines() if "│" in line]
        columns[place_s] = {line.index("│") for line in rows}
    assert columns[0.0] == {4}
    (middle,) = columns[2.5]
    assert abs(middle - (4 + 76 // 2)) <= 1, "by a step of the roll"


def test_without_sound_it_says_so_once_and_keeps_the_pictures():
    shown = drive(Sound(5.0, silent=True), ["space", "2"])
    assert shown.count("No sound here: PortAudio is missing") == 1
    assert "▸2" in shown
    assert "⣿" in shown


def test_w_writes_the_clips(tmp_path):
    async def wait(app, pilot):
        for _ in range(100):
            if "wrote" in text(app):
                return
            await pilot.pause(0.05)

    shown = drive(Sound(5.0), ["w"], place=tmp_path / "out", then=wait)
    assert "wrote 3 files into" in shown
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "1-bach-3.wav",
        "2-gru-red-2J.wav",
        "3-voice-wav.wav",
    ]


@pytest.mark.parametrize("size", [(80, 24), (60, 8), (30, 6), (200, 60), (20, 6)])
def test_any_size_shows_the_chosen_one_and_the_keys(size):
    shown = drive(Sound(5.0), ["2"], size=size)
    assert "▸2" in shown
    assert "quit" in shown
    assert all(looks.length([(line, looks.PLAIN)]) <= size[0] for line in shown.splitlines())


def test_help_lists_every_key():
    shown = drive(Sound(5.0), ["question_mark"])
    for words in ("from the same place", "play, or pause", "write the clips", "begin again"):
        assert words in shown


def test_clips_are_opened_from_files_that_are_gone_afterwards(monkeypatch):
    sound, seen = Sound(5.0), []

    def open_clips(paths):
        seen.extend(paths)
        assert all(path.is_file() for path in paths)
        return sound

    monkeypatch.setattr(ListenApp, "run", lambda self: None)
    run_listen(clips(), title="", place=Path("nowhere"), open_clips=open_clips)
    assert len(seen) == 3
    assert sound.closed
    assert not any(path.exists() for path in seen)


def test_the_picture_of_a_sound_is_its_envelope():
    sound = np.zeros((10_000, 2), np.float32)
    sound[5000] = (0.5, 0.5)
    sound[7000] = (-0.25, -0.25)
    piece = listen_lines.piece(Item("a", "file", sound, 1000, "", primer_s=1.0))
    assert piece.length_s == pytest.approx(10.0)
    assert piece.wave[1000][1] == 0.5
    assert piece.wave[1400][0] == -0.25
    assert piece.primer == 200
