import sys

import numpy as np
import pytest

from gatedtui import paths
from gatedtui.data import key, prepare, tiny


def test_the_tests_set_is_eight_two_and_two_short_pieces(tmp_path):
    data = prepare.prepare("tiny", cache=tmp_path)
    assert [len(data.splits[split]) for split in ("train", "valid", "test")] == [8, 2, 2]
    for rolls in data.splits.values():
        for roll in rolls:
            assert 24 <= len(roll) <= 60
            assert roll.dtype == np.uint8 and set(np.unique(roll)) == {0, 1}
            assert 2 <= roll.sum(axis=1).max() <= 4
    assert data.steps_per_quarter == 4
    assert data.titles["train"][0] == "Morning"
    assert data.digest == "d26bae4a7502bf3b0341d30386106e7ca02b8c3664397fcfbefd49e699e3057d"


def test_the_pieces_are_in_c_major_or_a_minor_and_their_voices_end_together():
    pieces = tiny.parse((paths.bundled("assets") / "corpus" / "tiny.txt").read_text("utf-8"))
    assert len(pieces) == 12
    for title, notes in pieces:
        assert key.shift(notes) == 0, title
        assert (notes[:, 1] == notes[:, 1].max()).sum() == (notes[:, 0] == 0).sum(), title


def test_the_notation_is_names_octaves_lengths_and_rests():
    ((title, notes),) = tiny.parse("# comment\n= A tune\nC4:4 _:2 F#3:2  # the end\nBb1:1")
    assert title == "A tune"
    assert notes.tolist() == [[0, 1, 60], [1.5, 2, 54], [0, 0.25, 34]]
    with pytest.raises(ValueError, match="not a note: 'H4:1'"):
        tiny.parse("= x\nH4:1")


def test_it_needs_no_score_reader(tmp_path):
    before = {name for name in sys.modules if name.startswith("music21")}
    prepare.prepare("tiny", cache=tmp_path)
    assert {name for name in sys.modules if name.startswith("music21")} == before
