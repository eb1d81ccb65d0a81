"""JSON from files that anybody may have written."""

import json
from typing import Any


def loads(text: str | bytes) -> Any:
    r"""The value of a JSON text, whose words can all be written again.

    JSON may spell half of a surrogate pair, `"\ud800"`, which no terminal and no file takes (found by fuzzing).

    Raises:
        ValueError: it is not UTF-8, not JSON, or spells such a half.
        RecursionError: it is nested too deeply.
    """
    if isinstance(text, bytes):
        text = text.decode()
    value = json.loads(text)
    if "\\ud" in text or "\\uD" in text:
        json.dumps(value, ensure_ascii=False).encode()  # UnicodeEncodeError is a ValueError
    return value
