import shutil
import subprocess
import sys

import numpy as np
import pytest

from gatedtui.data import bach, dataset, key, scores
from gatedtui.errors import BadSource


def named(*names: str) -> list:
    listed = {path.stem: path for path in bach.files()}
    return [listed[name] for name in names]


@pytest.fixture(scope="module")
def six():
    told = []
    data = bach.convert(
        named("bwv2.6", "bwv3.6", "bwv4.8", "bwv5.7", "bwv6.6", "bwv7.7"), "bach", lambda *what: told.append(what)
    )
    return data, told


def test_the_scores_are_found_without_importing_their_reader():
    code = (
        "import sys; from gatedtui.data import bach, prepare, catalogue\n"
        "files = bach.files()\n"
        "print(len(files), files[0].stem, files[8].stem, files[9].stem)\n"
        "print([name for name in ('music21', 'scipy', 'torch', 'matplotlib', 'pretty_midi') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["408 bwv1.6 bwv9.7 bwv10.7", "[]"]


def test_six_chorales_are_read_moved_and_divided(six):
    data, told = six
    assert [len(data.splits[split]) for split in dataset.SPLITS] == [4, 1, 1]
    titles = sorted(sum(data.titles.values(), ()))
    assert titles == ["bwv2.6", "bwv3.6", "bwv4.8", "bwv5.7", "bwv6.6", "bwv7.7"]
    for rolls in data.splits.values():
        for roll in rolls:
            assert roll.dtype == np.uint8 and roll.shape[1] == 88
            assert roll[0].any() and roll[-1].any()
            assert 3.5 < roll.sum(axis=1).mean() <= 4.2
            sounding = np.flatnonzero(roll.any(axis=0)) + 21
            assert sounding.min() > 30 and sounding.max() < 90
    assert told[0] == ("reading chorales", 0, 6) and told[-1][1:] == (6, 6)
    assert any("music21" in note for note in data.notes)


def test_moved_pieces_are_mostly_on_the_white_keys(six):
    data, _ = six
    scale = {0, 2, 4, 5, 7, 9, 11}
    for rolls in data.splits.values():
        for roll in rolls:
            counts = roll.sum(axis=0)
            inside = sum(int(count) for column, count in enumerate(counts) if (column + 21) % 12 in scale)
            assert inside / counts.sum() > 0.8


def test_the_keys_are_those_music21_finds():
    for path in bach.files()[6:9]:
        stream = scores.parse(path, "musicxml")
        (piece,) = scores.read(path)
        found = stream.analyze("key")
        assert key.find(piece.notes) == (found.tonic.pitchClass, found.mode)


def test_versions_of_one_piece_are_all_for_training_and_the_rest_is_counted(tmp_path):
    chosen = named("bwv2.6", "bwv62.6", "bwv158.4", "bwv274", "bwv279", "bwv846")
    broken = tmp_path / "bwv999.mxl"
    broken.write_text("nonsense")
    data = bach.convert([*chosen, broken], "bach")
    assert {"bwv62.6", "bwv274", "bwv158.4", "bwv279"} <= set(data.titles["train"])
    assert "2 groups of versions of one piece are all for training." in data.notes
    assert "1 pieces are left out: they are not in exactly four parts." in data.notes
    assert "1 scores are left out: they cannot be read (bwv999.mxl)." in data.notes


def test_one_bwv_number_stays_together():
    titles = ["bwv244.3", "bwv24.6", "bwv244.62", "bwv145-a", "bwv145.5", "bwv253"]
    assert sorted(bach._same_number(titles)) == [(0, 2), (3, 4)]


def test_no_chorale_in_four_parts_is_a_bad_source():
    with pytest.raises(BadSource, match="None of the Bach scores is in four parts"):
        bach.convert([], "bach")


def test_a_missing_corpus_is_a_bad_source(tmp_path, monkeypatch):
    (tmp_path / "music21").mkdir()
    (tmp_path / "music21" / "__init__.py").touch()
    spec = bach.importlib.util.spec_from_file_location(
        "music21", tmp_path / "music21" / "__init__.py", submodule_search_locations=[str(tmp_path / "music21")]
    )
    monkeypatch.setattr(bach.importlib.util, "find_spec", lambda name: spec)
    with pytest.raises(BadSource, match="holds no Bach scores"):
        bach.files()
    monkeypatch.setattr(bach.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BadSource, match="'music21', which holds the Bach scores, is not installed"):
        bach.files()
    shutil.rmtree(tmp_path / "music21")
