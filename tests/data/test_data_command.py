import json

import numpy as np
import pytest

from gatedtui.cli.main import run
from gatedtui.sound.midi import write_midi


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GATED_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("GATED_MIRROR", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def songs(tmp_path):
    place = tmp_path / "songs"
    place.mkdir()
    for number in range(4):
        roll = (np.random.default_rng(number).random((30, 88)) < 0.1).astype(np.uint8)
        write_midi(roll, place / f"{number}.mid", steps_per_quarter=4)
    (place / "broken.mid").write_text("words")
    return place


def gated(capsys, *words):
    """Exit code, stdout, stderr."""
    code = run(["data", *words])
    out, err = capsys.readouterr()
    return code, out, err


def test_the_list_says_what_is_ready_and_shows_imports(capsys, songs):
    code, out, _ = gated(capsys, "list")
    assert code == 0
    ready = {line.split()[0]: " ".join(line.split()[2:4]) for line in out.splitlines()}
    assert ready["vowels"] == ready["bach"] == "on first" and ready["jsb"] == "after fetch"
    assert "tiny" not in out
    assert gated(capsys, "import", "my-songs", "songs")[0] == 0
    _, out, _ = gated(capsys, "list", "--json")
    listed = {one["name"]: one for one in json.loads(out)}
    assert listed["my-songs"]["ready"] and listed["my-songs"]["imported"] and listed["my-songs"]["kind"] == "music"
    assert not listed["jsb"]["ready"] and listed["jsb"]["steps_per_quarter"] == 1
    assert listed["speech-a"]["rate_hz"] == 8000


def test_the_list_takes_names_and_every_command_a_mirror(capsys, songs):
    code, out, err = gated(capsys, "list", "jsb", str(songs), "--mirror", "there")
    assert code == 0 and out.splitlines()[1].startswith("jsb ") and "vowels" not in out
    assert "'there'" in err
    assert gated(capsys, "list", "bahc")[0] == 2
    assert gated(capsys, "import", "my-songs", str(songs), "--mirror", "there")[0] == 0


def test_vowels_are_never_called_speech_on_the_screen(capsys):
    _, out, err = gated(capsys, "info", "vowels")
    assert "Synthetic" in out and "speech" not in (out + err).lower()
    _, out, _ = gated(capsys, "list")
    assert "speech" not in next(line for line in out.splitlines() if line.startswith("vowels")).lower()


def test_a_folder_is_fetched_described_and_its_skipped_files_are_listed(capsys, songs):
    code, out, err = gated(capsys, "fetch", "./songs")
    assert code == 0 and out.startswith(f"{songs}: 2/1/1 pieces, digest ")
    assert "1 file was skipped; gated data info" in err
    code, out, _ = gated(capsys, "info", "songs")
    assert code == 0 and "skipped        broken.mid: it is not a MIDI file" in out
    code, out, _ = gated(capsys, "info", "songs", "--json")
    about = json.loads(out)
    assert (about["train_pieces"], about["valid_pieces"], about["test_pieces"]) == (2, 1, 1)
    assert about["skipped"] == ["broken.mid: it is not a MIDI file"] and about["marginal_nll_frame"] > 0


def test_every_json_is_one_document(capsys, songs):
    assert len(json.loads(gated(capsys, "fetch", "tiny", "./songs", "--json")[1])) == 2
    assert len(json.loads(gated(capsys, "info", "tiny", "./songs", "--json")[1])) == 2
    assert json.loads(gated(capsys, "import", "mine", "./songs", "--transpose", "--json")[1])["name"] == "mine"


def test_an_import_says_what_to_type_next(capsys, songs):
    code, out, err = gated(capsys, "import", "mine", "./songs")
    assert code == 0 and out.startswith("mine: 2/1/1 pieces") and "gated train --data mine" in err
    assert gated(capsys, "info", "mine")[0] == 0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("info", "jbs"), 2, ("'jbs'", "jsb")),
        (("fetch", "tiny", "jbs"), 2, ("'jbs'", "jsb")),
        (("fetch", "no/such"), 3, ("'no/such' does not exist", "MIDI")),
        (("fetch", "songs/0.mid"), 3, ("is not a folder",)),
        (("fetch", "jsb", "--mirror", "no/mirror"), 3, ("'no/mirror'", "gated data fetch jsb --mirror")),
        (("fetch", "jsb", "--mirror", "."), 3, ("'jsb' cannot be fetched", "'JSB_Chorales.mat'", "--mirror DIR")),
        (("fetch", "tiny", "--rate-hz", "8000"), 2, ("'8000'", "rate")),
        (("import", "jsb", "songs"), 2, ("'jsb' is taken",)),
        (("import", "a/b", "songs"), 2, ("'a/b'", "my-songs")),
        (("import", "mine", "nothing"), 3, ("'nothing'",)),
    ],
)
def test_what_is_wrong_is_one_sentence_and_an_exit_code(capsys, songs, monkeypatch, words, code, said):
    from gatedtui.data import fetch

    def unreachable(*_):
        raise fetch._Unreachable("the host cannot be reached (no network in this test)")

    monkeypatch.setattr(fetch, "_download", unreachable)
    found, out, err = gated(capsys, *words)
    assert found == code and out == ""
    for text in said:
        assert text in err
    assert "Traceback" not in err
    assert len([line for line in err.splitlines() if line.startswith("error:")]) == 1


def test_all_names_are_checked_before_any_set_is_made(capsys, tmp_path):
    assert gated(capsys, "fetch", "tiny", "jbs")[0] == 2
    assert not (tmp_path / "cache").exists()
