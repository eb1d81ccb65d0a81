import re
import xml.etree.ElementTree as ElementTree

import pytest

from gatedtui.page import svg
from gatedtui.page.gates import order
from gatedtui.page.ramp import UNITS, ramp
from gatedtui.tui import looks


def painted(picture, width, height):
    """What a picture of cells shows, by following its lines."""
    ground = re.search(r'<rect [^>]*fill="([^"]+)"', picture)[1]
    shown = [[ground] * width for _ in range(height)]
    for path, colour in re.findall(r'<path d="([^"]+)" stroke="([^"]+)"', picture):
        for x, y, wide in re.findall(r"M(\d+) (\d+)h(\d+)", path):
            for at in range(int(x), int(x) + int(wide)):
                shown[int(y)][at] = colour
    return shown


def test_cells_show_every_colour_where_it_belongs():
    rows = [[0, 0, 1, 2], [2, 2, 2, 2], [1, 0, 1, 0]]
    colours = ["#000000", "#111111", "#222222"]
    picture = svg.cells(rows, colours)
    assert painted(picture, 4, 3) == [[colours[number] for number in row] for row in rows]
    assert picture.count("<path") == 2, "the commonest colour is the ground"
    assert svg.cells([], colours) == svg.cells([[]], colours) == ""


def test_neighbours_are_joined():
    assert svg.cells([[1] * 9 + [0] * 100], ["#000000", "#111111"]).count("M") == 1


def test_text_and_titles_are_escaped():
    made = svg.document(10, 10, [svg.text(1, 2, '<a> & "b"', "#fff")], title="x < y & z")
    tree = ElementTree.fromstring(made)
    texts = [element.text for element in tree.iter()]
    assert '<a> & "b"' in texts and "x < y & z" in texts


def test_a_group_moves_and_stretches():
    assert svg.group(["<x/>"], x=1.5, y=2, sx=3) == '<g transform="translate(1.5 2) scale(3 1)"><x/></g>'


@pytest.mark.parametrize("hue", [*UNITS.values(), "#a0a0a0"])
def test_a_ramp_grows_brighter_with_every_shade(hue):
    def brightness(colour):
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    shades = [brightness(colour) for colour in ramp(hue, 16)]
    assert shades == sorted(shades) and len(set(shades)) == 16 and shades[0] < 20 and shades[-1] > 240


def test_pages_and_terminal_have_the_same_hues():
    assert {name: unit.colour for name, unit in looks.UNITS.items()} == UNITS


def test_the_most_open_unit_stands_first():
    assert order([0.2, 0.9, 0.2, 0.5]) == [1, 3, 0, 2]
