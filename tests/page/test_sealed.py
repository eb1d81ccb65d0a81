import json

from gatedtui.page.sealed import seal, unseal


def test_what_was_sealed_comes_back_and_cannot_be_read_before():
    value = {"labels": ["gru-bach", "Bach ä"], "right": ["a", "b"] * 50}
    sealed = seal(value)
    assert unseal(sealed) == value
    assert "gru" not in json.dumps(sealed)
    assert seal(value) == sealed != seal({"labels": []})
