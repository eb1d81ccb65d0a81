"""All errors speak with one voice: what is wrong with the value in quotes, then what to type."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "gatedtui"
CLASSES = {"GatedError", "BadArgument", "BadSource", "DeviceError"}
WORDED_ELSEWHERE = {"config.py", "sweep/folder.py", "sound/pitches.py"}
"""Where an error without a hint is caught and becomes part of a longer one, or a value is quoted a line earlier."""
HARSH = ("invalid", "illegal", "failed to", "unable", "please", "oops", "sorry", "exception", "!")


def sentences() -> Iterator[tuple[str, ast.Call]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CLASSES:
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", node


FOUND = dict(sentences())


def text(node: ast.expr) -> str | None:
    """The words of a literal or an f-string, a value as `{}` or, where Python puts it in quotes, as `'{}'`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if not isinstance(node, ast.JoinedStr):
        return None
    parts = []
    for part in node.values:
        if isinstance(part, ast.Constant):
            parts.append(str(part.value))
        else:
            parts.append("'{}'" if isinstance(part, ast.FormattedValue) and part.conversion == ord("r") else "{}")
    return "".join(parts)


def test_there_are_some():
    assert len(FOUND) > 150


@pytest.mark.parametrize("place", FOUND)
def test_every_error_is_a_sentence_with_the_value_in_quotes_and_a_hint(place: str):
    call = FOUND[place]
    elsewhere = place.rpartition(":")[0] in WORDED_ELSEWHERE
    if not elsewhere:
        assert len(call.args) == 2, "it does not say what to type"
        assert text(call.args[1]) != "", "its hint is empty"
    words = text(call.args[0])
    if words is None:
        return
    assert words[-1] in ".?}", words
    assert words[0] in "'{-" + words[0].upper() or re.match(r"[a-z.]+=", words), words
    assert not any(word in words.lower() for word in HARSH), words
    if "{}" in words and "trained model" not in words and not elsewhere:
        assert "'" in words or words.startswith("{}"), f"no value is in quotes: {words}"
