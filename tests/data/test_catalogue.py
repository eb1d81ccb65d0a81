import importlib

import pytest

from gatedtui.data import catalogue
from gatedtui.errors import BadArgument, BadSource


def test_every_entry_says_how_it_is_made_and_what_it_holds():
    for name, entry in catalogue.CATALOGUE.items():
        assert entry.name == name
        assert callable(importlib.import_module(f"gatedtui.data.{entry.builder}").build)
        assert (entry.steps_per_quarter > 0) == (entry.kind == "music")
        assert (entry.rate_hz > 0) == (entry.kind == "speech")
        assert entry.title and entry.licence and entry.source
        assert bool(entry.digest) == bool(entry.digest_with)


def test_bach_works_without_a_network_and_the_tests_set_is_hidden():
    assert catalogue.entry("bach").offline
    assert not catalogue.entry("bach").hidden
    assert catalogue.entry("tiny").hidden


def test_an_unknown_name_suggests_the_nearest_and_hides_the_tests_set():
    with pytest.raises(BadArgument, match="There is no data set 'bahc'") as caught:
        catalogue.entry("bahc")
    assert "Did you mean 'bach'?" in caught.value.hint
    assert "tiny" not in caught.value.hint
    with pytest.raises(BadArgument):
        catalogue.entry("")


@pytest.mark.parametrize("path", ["songs/", "./bach", "a/b", "C:\\music", "song.mid", "../data/tiny.npz"])
def test_a_path_is_a_bad_source_not_a_name(path):
    with pytest.raises(BadSource, match="cannot be used as data"):
        catalogue.entry(path)


def test_an_existing_folder_is_a_path_and_a_known_name_stays_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "songs").mkdir()
    (tmp_path / "bach").mkdir()
    with pytest.raises(BadSource, match="'songs' cannot be used"):
        catalogue.entry("songs")
    assert catalogue.entry("bach").name == "bach"
