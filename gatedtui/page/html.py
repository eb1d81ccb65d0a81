"""A small writer of HTML: what is not made here is text, and text is always escaped."""

import html
import json
import math
from typing import Any

_VOID = {"br", "hr", "img", "input", "meta", "link"}
_UNSAFE = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


class Markup(str):
    """Text that is markup already; any other text is escaped where it is put into an element."""

    __slots__ = ()


def tag(name: str, /, *content: str | None, **attributes: str | float | bool | None) -> Markup:
    """One element.

    Args:
        name: `p`, `table` …
        content: its children in order; plain text is escaped, None is left out.
        attributes: values are escaped, None and False are left out, True stands without a value. `class_` is `class`,
            `data_key` is `data-key`.
    """
    told = "".join(_attribute(key, value) for key, value in attributes.items() if value is not None)
    if name in _VOID:
        return Markup(f"<{name}{told}>")
    return Markup(f"<{name}{told}>{join(*content)}</{name}>")


def join(*parts: str | None) -> Markup:
    """The parts one after the other, plain text escaped."""
    return Markup("".join(part if isinstance(part, Markup) else html.escape(part) for part in parts if part))


def data(identifier: str, value: Any) -> Markup:
    """Values for the scripts, as a block of JSON that no text in them can end: `<`, `>` and `&` are written as `\\u…`.

    Args:
        identifier: its `id`.
        value: dicts, lists, texts and numbers; NaN and infinities become null.
    """
    text = json.dumps(_strict(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(f'<script type="application/json" id="{html.escape(identifier)}">{text.translate(_UNSAFE)}</script>')


def _attribute(key: str, value: str | float | bool) -> str:
    name = key.rstrip("_").replace("_", "-")
    if value is False:
        return ""
    if value is True:
        return f" {name}"
    return f' {name}="{html.escape(f"{value:g}" if isinstance(value, float) else str(value))}"'


def _strict(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _strict(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(part) for part in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
