import json

import pytest

from gatedtui.data import imports
from gatedtui.data.imports import Import
from gatedtui.errors import BadArgument, BadSource

ONE = Import("my-songs", "/home/me/songs", "music", 0, True)
TWO = Import("birds", "/home/me/birds", "speech", 16000, False)


def test_imports_are_kept_and_read_by_name(tmp_path):
    assert imports.read(tmp_path) == {}
    imports.add(ONE, tmp_path)
    imports.add(TWO, tmp_path)
    assert imports.read(tmp_path) == {"birds": TWO, "my-songs": ONE}
    newer = Import("birds", "/elsewhere", "speech", 8000, False)
    imports.add(newer, tmp_path)
    assert imports.read(tmp_path)["birds"] == newer
    assert [path.name for path in tmp_path.iterdir()] == ["imports.json"]


@pytest.mark.parametrize("name", ["a", "my-songs_2", "A" + "b" * 39])
def test_a_plain_word_can_be_a_name(name):
    imports.check_name(name)


@pytest.mark.parametrize("name", ["", "1a", "-a", "a/b", "a.b", "a b", "ä", "a\n", "a" * 41, "../x", "a:1"])
def test_anything_else_cannot(name):
    with pytest.raises(BadArgument, match="cannot be given to data"):
        imports.check_name(name)


def entry(**changed):
    return {"name": "a", "path": "/x", "kind": "music", "rate_hz": 0, "transposed": False} | changed


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        json.dumps({"format": 2, "imports": []}).encode(),
        json.dumps({"format": 1, "imports": [{"name": "a"}]}).encode(),
        *(
            json.dumps({"format": 1, "imports": [entry(**changed)]}).encode()
            for changed in (
                {"name": "../a"},
                {"name": "bach/.."},
                {"path": "relative"},
                {"kind": "video"},
                {"rate_hz": "8000"},
                {"transposed": 1},
                {"more": 1},
            )
        ),
    ],
)
def test_a_damaged_list_is_a_bad_source_that_names_the_file(tmp_path, content):
    imports.registry(tmp_path).write_bytes(content)
    with pytest.raises(BadSource, match=r"imports\.json' cannot be read") as caught:
        imports.read(tmp_path)
    assert "gated data import" in caught.value.hint
