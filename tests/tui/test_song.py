import pytest

from gatedtui.tui.models import Model
from gatedtui.tui.songs import Song
from gatedtui.tui.widgets.song import State, title

from .conftest import until
from .recorded import Recorded
from .test_samples_screen import Stage

pytestmark = pytest.mark.usefixtures("released")
FIGURES = ["2.50 nats", "polyphony 3.3", "in scale 98%", "C2–A5"]
PROBLEM = "There is no piece 'bach:99'. Its test pieces are bach:0 to bach:76, so begin with one of those."


def text(line):
    return "".join(piece for piece, _ in line)


@pytest.mark.parametrize("width", range(20, 120, 3))
def test_the_figures_of_a_song_are_whole_at_every_width(width):
    song = Song(Model("lstm-bach-1", "", "lstm", 36, 1, "bach", "music"), "ready")
    line = text(title(song, State(2, chosen=True, time="‖ 0:00/0:25"), FIGURES, width))
    shown = line.partition("lstm-bach-1")[2].partition("‖")[0].split()
    assert shown in [" ".join(FIGURES[:count]).split() for count in range(len(FIGURES) + 1)]


def test_a_problem_stands_whole_where_the_song_would(make_run, runs, screen_text):
    make_run(data__name="tiny").best_path.write_bytes(b"")
    stage = Stage(runs, Recorded(fails={"sample": PROBLEM}))

    async def script(pilot):
        await until(pilot, lambda: "✖" in screen_text(stage.app))
        assert f"✖ {PROBLEM} Take another." in " ".join(screen_text(stage.app).split())
        await pilot.resize_terminal(40, 16)
        await until(pilot, lambda: "begin with one of those. Take" in " ".join(screen_text(stage.app).split()))

    stage.play(script, ready=False)


def test_a_number_without_a_song_leads_to_a_screen(make_run, runs):
    make_run(data__name="tiny").best_path.write_bytes(b"")
    stage = Stage(runs)

    async def script(pilot):
        await until(pilot, lambda: stage.screen.songs and stage.screen.songs[1].state == "ready")
        await pilot.press("0")
        assert stage.screen.chosen == 0 and stage.app.current_mode == "Dashboard"
        await pilot.press("3")
        await until(pilot, lambda: stage.app.current_mode == "Runs")

    stage.play(script, ready=False)
