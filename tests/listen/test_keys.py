import pytest

from gatedtui.cli import transport
from gatedtui.cli.keys import parse
from gatedtui.tui import looks


@pytest.mark.parametrize(
    ("typed", "keys", "rest"),
    [
        (b"qN 1", ["q", "n", " ", "1"], b""),
        (b"\x1b[C\x1b[D\x1bOA\x1b[B", ["right", "left", "up", "down"], b""),
        (b"\x1b[1;5C\x1b[H\x1b[F", ["right", "home", "end"], b""),
        (b"\x1b[3~x", ["x"], b""),
        (b"a\x1b", ["a"], b"\x1b"),
        (b"a\x1b[1;", ["a"], b"\x1b[1;"),
        (b"\x1bq", ["escape", "q"], b""),
        (b"\r\n", ["enter", "enter"], b""),
        (b"\x1a\x00\t\xc3\xa4b", ["b"], b""),
        (b"", [], b""),
    ],
)
def test_bytes_become_keys(typed, keys, rest):
    assert parse(typed) == (keys, rest)


class Fake:
    """What plays, as far as the line needs it."""

    playing, position_s, duration_s, looping = True, 7.0, 42.0, False
    seeks: list[float]

    def __init__(self):
        self.seeks = []

    def seek(self, place_s):
        self.seeks.append(place_s)

    def toggle(self):
        self.playing = not self.playing

    def loop(self, wanted):
        self.looping = wanted


@pytest.mark.parametrize("width", [1, 10, 20, 40, 80, 200])
@pytest.mark.parametrize("name", ["song.mid", "ein sehr langer Name " * 10, "音楽" * 30, "\x1b[2Jclear\n\r"])
def test_the_line_never_wraps_and_never_moves_the_cursor(width, name):
    line = transport.line(Fake(), name, "space pause · q quit", width)
    assert looks.length([(line, looks.PLAIN)]) <= max(width - 1, 1)
    assert line.isprintable()


def test_the_line_says_what_plays_and_where():
    line = transport.line(Fake(), "song.mid", "q quit", 80)
    assert line.startswith("▶ song.mid  0:07 / 0:42")
    assert line.endswith("q quit")
    assert line.count(transport.FULL) == pytest.approx(30 * 7 / 42, abs=1)


def test_keys_do_what_they_say():
    playing = Fake()
    assert all(transport.obey(playing, key) for key in (" ", "left", "right", "home", "end", "l"))
    assert (playing.playing, playing.looping) == (False, True)
    assert playing.seeks == [2.0, 12.0, 0.0, 42.0]
    assert not transport.obey(playing, "x")
