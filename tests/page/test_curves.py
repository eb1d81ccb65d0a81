import math
import re

import pytest

from gatedtui.events import Epoch
from gatedtui.page import curves
from gatedtui.page.curves import Curve

from .conftest import HOSTILE


def epochs(values):
    return [Epoch(n, 10 * n, 0, nll, nll + 0.5, 0, 0, 0, 0, 2.0 * n) for n, nll in enumerate(values, 1)]


def curve(values, label="gru-1", **more):
    own = epochs(values)
    return Curve(label, "gru", own, min(own, key=lambda e: e.valid_nll, default=None), **more)


def lines(page, scale, kind):
    pictures = re.findall(rf'<svg[^>]*class="{scale}".*?</svg>', page, re.S)
    return [re.findall(rf'<path d="([^"]*)" class="{kind} gru">', picture) for picture in pictures]


def test_both_axes_and_both_scales_are_in_the_page():
    made = curves.section([curve([9.0, 8.5, 8.0])], number=1, guessing_nll=None)
    assert re.findall(r'data-across="(\w+)"', made) == ["updates", "elapsed_s"]
    assert [len(found) for found in lines(made, "linear", "valid")] == [1, 1]
    assert [len(found) for found in lines(made, "logarithmic", "train")] == [1, 1]
    assert len(re.findall(r'<svg[^>]*class="logarithmic" hidden', made)) == 2


def test_a_density_below_zero_has_no_logarithmic_axis():
    made = curves.section([curve([1.0, -8.5, -9.0])], number=1, guessing_nll=14.2)
    assert "logarithmic" not in re.sub("no logarithmic axis", "", made)
    assert "no logarithmic axis" in made


def test_the_values_are_there_to_be_read_off(page_data):
    made = curves.section([curve([9.0, math.nan])], number=4, guessing_nll=None)
    (told,) = page_data(made)["curves-4"]
    assert told["epochs"] == [[1, 10, 2.0, 9.0, 9.5], [2, 20, 4.0, None, None]]
    assert told["label"] == "gru-1"


def test_a_line_breaks_where_training_was_not_finite():
    made = curves.section([curve([9.0, 8.9, math.inf, math.nan, 8.8, 8.7])], number=1, guessing_nll=None)
    (line,) = lines(made, "linear", "train")[0]
    assert line.count("M") == 2 and line.count("L") == 2


@pytest.mark.parametrize("values", [[], [math.nan, math.nan]])
def test_without_a_finished_epoch_a_sentence_stands_there(values):
    assert "no finished epoch" in curves.section([curve(values)], number=1, guessing_nll=None)


@pytest.mark.parametrize("values", [[8.0], [8.0, 8.0, 8.0], [1e300, 8.0], [1e-9, 2e-9]])
def test_odd_ranges_are_drawn(values):
    made = curves.section([curve(values)], number=1, guessing_nll=None)
    assert "nan" not in made and "inf" not in made
    for found in lines(made, "linear", "valid"):
        assert all(float(y) < 1e6 for line in found for y in re.findall(r"[ML][\d.-]+ ([\d.-]+)", line))


def test_references_are_drawn_where_they_lie_in_the_picture():
    low = curves.section([curve([9.0, 8.0], paper_nll=8.6)], number=1, guessing_nll=8.8)
    assert low.count('class="reference gru"') == 4 and low.count("guessing by frequency") == 4
    far = curves.section([curve([9.0, 8.0], paper_nll=20.0)], number=1, guessing_nll=20.0)
    assert "reference" not in far


def test_a_long_run_is_thinned_and_keeps_its_end():
    made = curves.section([curve([9 - n / 1000 for n in range(2000)])], number=1, guessing_nll=None)
    line = lines(made, "linear", "valid")[0][0]
    assert line.count("L") <= curves.POINTS + 1
    assert line.rpartition("L")[2].startswith("506.0 ")


def test_a_runs_name_is_only_text():
    assert "<img" not in curves.section([curve([9.0, 8.0], label=HOSTILE)], number=1, guessing_nll=None)
