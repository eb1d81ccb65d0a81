import json

import pytest

from gatedtui import strict_json


@pytest.mark.parametrize("value", [None, 1.5, "süß", "\U0001f3b9", {"a": ["\\ud800", "\x00"]}])
def test_what_json_writes_comes_back(value: object):
    for as_it_is in (True, False):
        text = json.dumps(value, ensure_ascii=as_it_is)
        assert strict_json.loads(text) == value and strict_json.loads(text.encode()) == value


@pytest.mark.parametrize(
    "text", ['"\\ud800"', '{"\\uDFFF": 1}', '["\\ud83c", "\\udfb9"]', b'"\xed\xa0\x80"', b"\xff", "{"]
)
def test_what_nothing_could_write_again_is_refused(text: str | bytes):
    with pytest.raises(ValueError):
        strict_json.loads(text)
