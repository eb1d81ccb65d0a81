import re
import shutil
import threading
from pathlib import Path

import pytest

from gatedtui.cli.main import run as gated
from gatedtui.tui.app import GatedApp
from gatedtui.tui.screens import samples
from gatedtui.tui.screens.pick import Pick
from gatedtui.tui.screens.prompt import Prompt
from gatedtui.tui.screens.samples import Samples
from gatedtui.tui.widgets.song import SongPanel

from .conftest import drive, until
from .recorded import Recorded
from .test_play_head import Outcome, Playing

SIZES = [(80, 24), (120, 40), (200, 60), (40, 12), (20, 6)]


pytestmark = pytest.mark.usefixtures("released")


@pytest.fixture
def trained(make_run):
    """Three runs with a best model nobody reads, since the answers are recorded."""
    made = [make_run(unit=unit, data__name="tiny") for unit in ("tanh", "lstm", "gru")]
    for run in made:
        run.best_path.write_bytes(b"")
    return made


class Stage:
    """The screen on the app, with recorded answers and a machine whose sound a test decides."""

    def __init__(self, runs, recorded=None, *, silent=True, shuffle=None):
        self.recorded = recorded or Recorded()
        self.opened = []

        def start(paths):
            self.opened.append(Playing(paths, outcome=Outcome() if silent else None))
            return self.opened[-1]

        self.screen = Samples(self.recorded, start, shuffle or (lambda order: order.reverse()))
        self.app = GatedApp(runs)

    def play(self, script, size=(80, 24), ready=True):
        async def run(pilot):
            await self.app.push_screen(self.screen)
            if ready:
                await until(pilot, self.all_ready)
            await script(pilot)

        return drive(self.app, run, size)

    def all_ready(self):
        songs = self.screen.songs.values()
        return songs and all(song.state == "ready" for song in songs) and len(self.screen.real_nll) == 3


def test_songs_of_the_newest_models_stand_beside_the_real_one(trained, runs, screen_text):
    stage = Stage(runs)

    async def script(pilot):
        await until(pilot, lambda: "in scale" in screen_text(stage.app))
        text = screen_text(stage.app)
        assert "primer tiny:0, first 12 steps │ temperature 1.00 │ seed 1 │ 128 steps" in text
        for words in ("0  ◇ real tiny:0", "▸1  ▲ tanh 100", "2  ■ lstm 36", "3  ● gru 46", "2.50 nats   polyphony 3.0"):
            assert words in text
        assert re.search(r"▲ \d+\.\d\d  ■ \d+\.\d\d  ● \d+\.\d\d nats", text), "the real one under each model"
        assert "C5" in text and "⠤" in text

    stage.play(script, size=(100, 30))


def test_every_size_is_filled_and_not_overfilled(trained, runs, screen_text):
    stage = Stage(runs)

    async def script(pilot):
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await until(pilot, lambda: "▸1" in screen_text(stage.app))
            assert all(len(line) <= size[0] for line in screen_text(stage.app).splitlines())

    stage.play(script)


def test_songs_appear_one_by_one_and_say_what_they_wait_for(trained, runs, screen_text):
    holds = threading.Event()
    stage = Stage(runs, Recorded(holds=holds))

    async def script(pilot):
        await until(pilot, lambda: "reading …" in screen_text(stage.app) and "waiting" in screen_text(stage.app))
        holds.set()
        await until(pilot, stage.all_ready)

    stage.play(script, ready=False)


def test_leaving_the_app_ends_what_is_being_drawn(trained, runs):
    holds = threading.Event()
    stage = Stage(runs, Recorded(holds=holds))

    async def script(pilot):
        await until(pilot, lambda: stage.recorded.asked)

    stage.play(script, ready=False)
    assert len(stage.recorded.asked) == 1, "the child was cancelled and no other was asked"


def test_space_moves_the_play_head_and_the_sound_is_told_once_to_be_missing(trained, runs, screen_text):
    stage = Stage(runs)

    async def script(pilot):
        said = []
        stage.app.say = said.append
        await pilot.press("space")
        await until(pilot, lambda: "▶ 0:01/0:2" in screen_text(stage.app))
        assert said == ["No sound: no player is on PATH. The pictures move; w writes files."]
        assert "│" in screen_text(stage.app), "the head is a sign as well as a colour"
        await pilot.press("space")
        place = stage.screen.sound.place
        await pilot.press("space", "2", "3")
        await until(pilot, lambda: stage.screen.sound.place > place)
        assert len(said) == 1 and len(stage.opened) == 1

    stage.play(script)


def test_the_head_is_where_the_sound_is(trained, runs):
    stage = Stage(runs, silent=False)

    async def script(pilot):
        await pilot.press("space")
        await until(pilot, lambda: stage.opened and stage.opened[0].playing)
        stage.opened[0].position_s = 5.0
        await until(pilot, lambda: 5.0 <= stage.screen.sound.place < 6.0)
        assert [path.name[-6:] for path in stage.opened[0].paths] == ["-1.wav", "-0.wav", "-2.wav", "-3.wav"]

    stage.play(script)


def test_switching_keeps_the_place(trained, runs):
    stage = Stage(runs, silent=False)

    async def script(pilot):
        await pilot.press("space")
        await until(pilot, lambda: stage.opened and stage.opened[0].playing)
        stage.opened[0].position_s = 3.0
        await until(pilot, lambda: 3.0 <= stage.screen.sound.place < 4.0)
        for key, place in (("2", 2), ("3", 3), ("0", 0), ("down", 1), ("j", 2), ("up", 1), ("k", 0), ("tab", 1)):
            await pilot.press(key)
            assert stage.screen.chosen == place
            clip = stage.opened[0].paths.index(stage.screen.songs[place].wav)
            await until(pilot, lambda clip=clip: stage.opened[0].done[-1] == ("switch", clip))
        assert 3.0 <= stage.opened[0].position_s < 9.0 and len(stage.opened) == 1

    stage.play(script)


def test_arrows_seek_and_stay_within_the_song(trained, runs):
    stage = Stage(runs)

    async def script(pilot):
        await pilot.press("right", "right", "left")
        assert stage.screen.sound.place == 2.0
        await pilot.press("left", "left", "h")
        assert stage.screen.sound.place == 0.0
        await pilot.press(*["l"] * 30)
        assert 20 < stage.screen.sound.place < stage.screen.length_s
        await pilot.press("space")
        await until(pilot, lambda: not stage.screen.sound.head.moves)
        assert stage.screen.sound.place == stage.screen.length_s, "it rests at the end"
        await pilot.press("space")
        assert stage.screen.sound.place < 5, "and begins again"

    stage.play(script)


def test_a_click_puts_the_head_where_it_was(trained, runs):
    stage = Stage(runs)

    async def script(pilot):
        panel = stage.screen.query(SongPanel).last()
        await pilot.click(panel.query_one("PieceView"), offset=(42, 1))
        share = stage.screen.sound.place / stage.screen.length_s
        assert stage.screen.chosen == 3 and share == pytest.approx(0.5, abs=0.02)

    stage.play(script)


def test_g_draws_again_with_the_next_seed(trained, runs, screen_text):
    stage = Stage(runs)

    async def script(pilot):
        count = len(stage.recorded.asked)
        await pilot.press("g")
        await until(pilot, lambda: stage.all_ready() and "seed 2" in screen_text(stage.app))
        fresh = stage.recorded.asked[count:]
        assert sum(words[0] == "sample" for words in fresh) == 3
        assert all(words[words.index("--seed") + 1] == "2" for words in fresh if words[0] == "sample")

    stage.play(script)


@pytest.mark.parametrize(
    ("key", "typed", "option", "wrong"),
    [
        ("t", "0.8", ["--temperature", "0.8"], "hot"),
        ("d", "64", ["--steps", "64"], "0"),
        ("s", "99", ["--seed", "99"], "-1"),
        ("p", "tiny:1", ["--prime", "tiny:1"], None),
    ],
)
def test_what_all_songs_share_can_be_changed(trained, runs, screen_text, key, typed, option, wrong):
    stage = Stage(runs)

    async def script(pilot):
        count = len(stage.recorded.asked)
        await pilot.press(key)
        await until(pilot, lambda: isinstance(stage.app.screen, Prompt))
        if wrong is not None:
            await pilot.press(*wrong, "enter")
            await until(pilot, lambda: re.search("is not a|must lie", screen_text(stage.app)))
            await pilot.press("ctrl+u")
        await pilot.press("home", "ctrl+k", *[{":": "colon"}.get(c, c) for c in typed], "enter")
        await until(pilot, lambda: stage.app.screen is stage.screen and stage.all_ready())
        samples = [words for words in stage.recorded.asked[count:] if words[0] == "sample"]
        assert len(samples) == 3 and all(" ".join(option) in " ".join(words) for words in samples)

    stage.play(script)


def test_a_question_that_is_left_changes_nothing(trained, runs):
    stage = Stage(runs)

    async def script(pilot):
        count = len(stage.recorded.asked)
        for key in ("t", "m"):
            await pilot.press(key, "escape")
            await until(pilot, lambda: stage.app.screen is stage.screen)
        await pilot.pause()
        assert len(stage.recorded.asked) == count

    stage.play(script)


def test_other_models_can_be_chosen(trained, runs, screen_text):
    stage = Stage(runs)

    async def script(pilot):
        await pilot.press("m")
        await until(pilot, lambda: isinstance(stage.app.screen, Pick))
        assert "[1]" in screen_text(stage.app) and "[3]" in screen_text(stage.app)
        await pilot.press("slash", *"lstm", "enter", "space")
        await pilot.press("enter")
        await until(pilot, lambda: stage.app.screen is stage.screen)
        assert [model.unit for model in stage.screen.models] == ["tanh", "gru"]
        await until(pilot, lambda: len(stage.screen.songs) == 3 and "lstm" not in screen_text(stage.app))

    stage.play(script)


def test_enter_enlarges_the_chosen_song_and_two_pitches_share_a_row(trained, runs, screen_text):
    stage = Stage(runs)

    async def script(pilot):
        await pilot.press("3", "enter")
        await until(pilot, lambda: "▀" in screen_text(stage.app) or "▄" in screen_text(stage.app))
        text = screen_text(stage.app)
        assert "● gru 46" in text and "tanh 100" not in text
        await pilot.press("escape")
        await until(pilot, lambda: "tanh 100" in screen_text(stage.app))

    stage.play(script, size=(160, 48))


def test_blind_hides_everything_but_the_places_and_reveals_it(trained, runs, screen_text):
    stage = Stage(runs)

    async def script(pilot):
        await pilot.press("b")
        await until(pilot, lambda: screen_text(stage.app).count("?") >= 4)
        text = screen_text(stage.app)
        for told in ("tanh", "lstm", "gru", "real", "nats", "polyphony", "▲", "■", "●"):
            assert told not in text, f"{told} gives it away"
        assert stage.screen.song_at(0) is stage.screen.songs[3], "another order"
        await pilot.press("b")
        await until(pilot, lambda: "it was 0 gru-jsb-1, 1 lstm-jsb-1, 2 tanh-jsb-1, 3" in screen_text(stage.app))
        assert stage.screen.song_at(0) is stage.screen.songs[0]

    stage.play(script)


def test_w_writes_files_where_the_app_was_started(trained, runs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    stage = Stage(runs)

    async def script(pilot):
        await pilot.press("w")
        await until(pilot, lambda: stage.app.news and stage.app.news[1].startswith("wrote 11 files"))

    stage.play(script)
    assert len(list((tmp_path / samples.PLACE).glob("*.mid"))) == 4
    assert len(list((tmp_path / samples.PLACE).glob("*.wav"))) == 4


def test_nothing_is_left_in_the_temporary_folder(trained, runs, tmp_path, monkeypatch):
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    stage = Stage(runs, silent=False)

    async def script(pilot):
        await pilot.press("space")
        await until(pilot, lambda: stage.opened)
        assert list(place.iterdir())

    stage.play(script)
    assert list(place.iterdir()) == []


def test_what_fails_is_told_in_its_place_and_never_read_as_markup(trained, runs, screen_text):
    stage = Stage(runs, Recorded(fails={"lstm": "The model '[red]x' is damaged."}))

    async def script(pilot):
        await until(pilot, lambda: "✖ The model '[red]x' is damaged." in screen_text(stage.app))
        await until(pilot, lambda: stage.screen.songs[3].state == "ready")
        await pilot.press("2", "space", "space", "enter", "enter")
        assert stage.screen.sound.place == 0

    stage.play(script, ready=False, size=(120, 30))


def test_without_models_it_says_what_to_do_and_looks_again(make_run, runs, screen_text):
    stage = Stage(runs)

    async def script(pilot):
        await until(pilot, lambda: "There is nothing to hear yet." in screen_text(stage.app))
        for key in ("space", "g", "t", "m", "w", "b", "enter", "right", "down", "0", "p"):
            await pilot.press(key)
        assert stage.recorded.asked == []
        make_run(unit="gru", data__name="tiny").best_path.write_bytes(b"")
        stage.screen.on_screen_resume()
        await until(pilot, lambda: "● gru 46" in screen_text(stage.app))

    stage.play(script, ready=False)


def test_a_run_that_vanishes_meanwhile_changes_nothing_that_is_drawn(trained, runs, screen_text):
    stage = Stage(runs)

    async def script(pilot):
        for run in trained:
            shutil.rmtree(run.path)
        stage.screen.look()
        await until(pilot, lambda: stage.screen.known == ())
        assert "● gru 46" in screen_text(stage.app)

    stage.play(script)


@pytest.mark.parametrize("screen", ["samples", "gates"])
def test_the_screens_load_without_torch_and_numpy(screen, python):
    import subprocess

    code = (
        f"import sys, gatedtui.tui.screens.{screen};"
        "print([name for name in ('torch', 'numpy', 'scipy', 'soundfile') if name in sys.modules])"
    )
    assert subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_from_a_trained_run_to_files_with_real_children(runs, tmp_path, monkeypatch, screen_text):
    monkeypatch.chdir(tmp_path)
    words = ["train", "--data", "tiny", "--epochs", "2", "--set", "model.hidden=5", "--name", "a [b]"]
    assert gated([*words, "--runs", str(runs)]) == 0
    app = GatedApp(runs)
    screen = Samples()

    async def script(pilot):
        await app.push_screen(screen)
        await until(pilot, lambda: [song.state for song in screen.songs.values()] == ["ready", "ready"])
        assert 1 in screen.real_nll
        assert "● gru 5 a [b]" in screen_text(app) and screen.songs[1].nll is not None
        await pilot.press("w")
        await until(pilot, lambda: app.news and "wrote 5 files" in app.news[1])

    drive(app, script)
    assert len(list(Path("samples").glob("1-a [[]b]*"))) == 3
