import math

import pytest
from rich.cells import cell_len

from gatedtui.tui import looks, places, themes
from gatedtui.tui.messages import Load
from gatedtui.tui.widgets import bars


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (8.434, "8.43"),
        (-7.2, "-7.20"),
        (11.086, "11.09"),
        (1234.5, "1234"),
        (3e9, "3e+09"),
        (math.nan, "–"),
        (None, "–"),
    ],
)
def test_an_nll_has_two_decimals(value, text):
    assert looks.nll(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (643_000, "643k fr/s"),
        (1_234_000, "1.2M fr/s"),
        (850, "850 fr/s"),
        (999_900, "1.0M fr/s"),
        (math.inf, ""),
        (None, ""),
    ],
)
def test_a_speed_has_its_unit(value, text):
    assert looks.speed(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(4, "0:04"), (3723, "1:02:03"), (59.7, "1:00"), (500_000, "5 d 18 h"), (math.nan, "–"), (-1, "0:00")],
)
def test_a_duration_reads_as_a_clock(seconds, text):
    assert looks.clock(seconds) == text


def test_time_left_says_so():
    assert looks.left(4) == "0:04 left"
    assert looks.left(None) == ""


def test_a_learning_rate_is_short():
    assert looks.lr(1e-3) == "1.0e-3"
    assert looks.lr(math.nan) == "–"


def test_units_differ_in_shape_and_in_colour():
    looked = [looks.unit(name) for name in ("tanh", "lstm", "gru", "unknown")]
    assert len({one.shape for one in looked}) == len({one.colour for one in looked}) == 4


@pytest.mark.parametrize("text", ["", "abc", "日本語の名前", "a" * 50])
@pytest.mark.parametrize("width", [0, 1, 2, 5, 20])
def test_fitted_text_takes_exactly_its_cells(text, width):
    assert cell_len(looks.fit(text, width)) == width
    assert cell_len(looks.shorten(text, width)) <= width


def test_nothing_that_moves_the_cursor_survives():
    assert looks.clean("a\x1b[31m\nb") == "a [31m b"


def test_parts_are_packed_in_order_and_the_last_is_cut():
    assert looks.pack(["jsb", "recipe paper", "seed 1"], 80) == "jsb · recipe paper · seed 1"
    assert looks.pack(["jsb", "recipe paper", "seed 1"], 22) == "jsb · recipe paper"
    assert looks.pack(["jsb", "avx512 found, library built"], 20) == "jsb · avx512 found,…"


def test_lines_are_folded_between_words_and_only_long_words_are_broken():
    line = [("enter", looks.BOLD), ("  trains the three units", looks.PLAIN)]
    folded = ["".join(text for text, _ in part).rstrip() for part in looks.fold_spans(line, 18, indent=7)]
    assert folded == ["enter  trains the", "       three units"]
    path = looks.fold_spans([("/a/path/that/is/long", looks.DIM)], 8)
    assert [part[0][0] for part in path] == ["/a/path/", "that/is/", "long"]
    assert len(looks.fold_spans(line, 80)) == 1


@pytest.mark.parametrize("theme", themes.THEMES, ids=lambda theme: theme.name)
def test_the_colours_of_runs_stand_on_both_grounds(theme):
    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        return sum(w * ((c + 0.055) / 1.055) ** 2.4 for w, c in zip((0.2126, 0.7152, 0.0722), parts, strict=True))

    for colour in looks.RUNS if theme.dark else [looks.DARKER[colour] for colour in looks.RUNS]:
        high, low = sorted((luminance(colour), luminance(theme.background)), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5


@pytest.mark.parametrize("width", [15, 20, 40, 61, 62, 80, 120])
def test_the_strip_always_says_where_one_is(width):
    line = bars.top(places.there(), "Gates", Load(98.0, 1 << 30), width)
    assert looks.length(line) <= width and ("Gates", looks.BOLD) in line
    assert ("Runs" in "".join(text for text, _ in line)) == (width >= 62)


@pytest.mark.parametrize(("width", "text"), [(40, "polyphony 3.3   in scale 98%"), (27, "polyphony 3.3"), (9, "")])
def test_figures_are_packed_whole_or_not_at_all(width, text):
    assert looks.pack(["polyphony 3.3", "in scale 98%"], width, "   ", whole=True) == text


def test_folded_text_is_all_there_and_breaks_no_name():
    text = "There is no piece 'bach:99'. Its test pieces are bach:0 to bach:76, of run gru-bach-2."
    lines = looks.fold(text, 30)
    assert " ".join(lines) == text and max(map(len, lines)) <= 30
    assert looks.fold("", 30) == [""]
