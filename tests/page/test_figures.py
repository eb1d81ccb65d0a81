import math
from xml.etree import ElementTree

from gatedtui.page.figures import Curve, learning_curves

SVG = "{http://www.w3.org/2000/svg}"


def curve(unit: str, valid: list[float], *, step: float = 10.0, best: int | None = None) -> Curve:
    n = len(valid)
    updates = [step * (k + 1) for k in range(n)]
    return Curve(unit, unit, updates, [u / 100 for u in updates], [v - 1 for v in valid], valid, best)


def lines(text: str) -> list[list[tuple[float, float]]]:
    found = [element.get("points", "") for element in ElementTree.fromstring(text).iter(f"{SVG}polyline")]
    return [[tuple(map(float, pair.split(","))) for pair in points.split()] for points in found]  # pyright: ignore


def texts(text: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(text).iter(f"{SVG}text")]


def test_each_unit_has_four_lines_and_its_sign_in_both_panels():
    drawn = learning_curves("jsb", [curve("gru", [9.0, 8.6, 8.5], best=2), curve("tanh", [9.2, 9.0], best=1)])
    assert len([points for points in lines(drawn) if len(points) == 3]) == 4
    assert texts(drawn).count("●") == 2 and texts(drawn).count("▲") == 2
    assert {"jsb", "updates", "training time", "● gru: 8.50"} <= set(texts(drawn))


def test_lower_is_better_is_lower_and_a_shorter_run_ends_earlier():
    drawn = learning_curves("x", [curve("gru", [9.0, 8.0, 7.0]), curve("tanh", [9.0, 8.0])])
    valid = [points for points in lines(drawn) if len(points) == 3][1]
    assert valid[0][1] < valid[1][1] < valid[2][1] and valid[-1][0] == 720
    assert max(x for points in lines(drawn) if len(points) == 2 and points[0][0] > 1 for x, _ in points[:2]) <= 720


def test_densities_below_zero_have_a_linear_axis():
    below = learning_curves("speech-a", [curve("gru", [-2.0, -5.0, -11.0])])
    assert not any("logarithmic" in text for text in texts(below))
    assert any("logarithmic" in text for text in texts(learning_curves("jsb", [curve("gru", [9.0, 8.0])])))


def test_what_is_not_finite_is_a_gap():
    drawn = learning_curves("x", [curve("gru", [9.0, 8.8, math.nan, 8.5, 8.4])])
    assert "nan" not in drawn and "inf" not in drawn
    assert len([points for points in lines(drawn) if len(points) == 2 and points[0][1] != points[1][1]]) >= 4


def test_a_long_run_is_thinned_and_an_empty_one_is_said_to_be_empty():
    long = learning_curves("x", [curve("gru", [9.0 + math.sin(k) for k in range(5000)])])
    assert max(map(len, lines(long))) <= 602 and len(long) < 60_000
    assert "No epoch" in " ".join(texts(learning_curves("x", [])))
    assert lines(learning_curves("x", [curve("gru", [8.5])]))


def test_a_title_with_signs_is_escaped():
    assert "a < b & c" in texts(learning_curves("a < b & c", [curve("gru", [9.0, 8.0])]))
