"""What a swept setting is drawn from: `log(a,b)`, `uniform(a,b)` or `choice(a,b,c)`, and the drawing itself.

A draw depends on nothing but the words it is asked with (seed, unit, data, number, key), by SHA-256: the same on every
machine, whatever else is swept beside it and in which order trials are trained.
"""

import hashlib
import math
import re
from dataclasses import dataclass
from typing import Any

from gatedtui import config
from gatedtui.errors import BadArgument, unknown

KINDS = ("log", "uniform", "choice")
DIGITS = 4
"""Significant digits of a drawn number: enough to tell draws apart, few enough to be quoted."""
EXAMPLE = "Write for example --set train.lr=log(1e-4,1e-2), uniform(0,0.1) or choice(8,16)"

_CALL = re.compile(r"\s*([A-Za-z_]\w*)\s*\((.*)\)\s*", re.DOTALL)


@dataclass(frozen=True)
class Space:
    """A set that values of one config key are drawn from.

    Attributes:
        key: the dotted key.
        kind: `log` (uniform in the logarithm), `uniform` or `choice`.
        values: the two bounds, or the choices, in the key's type.
    """

    key: str
    kind: str
    values: tuple[Any, ...]

    def __str__(self) -> str:
        return f"{self.kind}({','.join(map(_text, self.values))})"

    def at(self, share: float) -> Any:
        """The value at `share` of the space, `share` in [0, 1): of whole numbers each is equally wide."""
        if self.kind == "choice":
            return self.values[int(share * len(self.values))]
        low, high = self.values
        whole = isinstance(low, int)
        upper = high + 1 if whole else high
        if self.kind == "log":
            value = math.exp(math.log(low) + share * (math.log(upper) - math.log(low)))
        else:
            value = low + share * (upper - low)
        return min(max(math.floor(value) if whole else float(f"{value:.{DIGITS}g}"), low), high)


def parse(text: str) -> Space | None:
    """`"train.lr=log(1e-4,1e-2)"` → its space; None where the text is a plain `KEY=VALUE`.

    Raises:
        BadArgument: an unknown key or kind, bounds that are no two numbers low < high, or a value the key cannot have.
    """
    name, equals, value = text.partition("=")
    call = _CALL.fullmatch(value) if equals else None
    if call is None:
        return None
    key, kind = config.find_key(name.strip()), call[1]
    if kind not in KINDS:
        error = unknown("space", kind, KINDS)
        raise BadArgument(error.what, f"{error.hint} {EXAMPLE}")
    words = [word.strip() for word in call[2].split(",")]
    if any(not word for word in words):
        raise BadArgument(f"'{text}' has an empty place between its brackets.", EXAMPLE)
    values = tuple(config.parse_setting(f"{key}={word}")[1] for word in words)
    for one in values:
        config.build({key: one})  # its limits
    if kind == "choice":
        if len(set(values)) < len(values):
            raise BadArgument(f"'{text}' names a value twice.", EXAMPLE)
        return Space(key, kind, values)
    if len(values) != 2 or isinstance(values[0], str):
        what = "two numbers" if not isinstance(values[0], str) else "numbers, and this key takes words"
        raise BadArgument(f"'{kind}' in '{text}' wants {what}.", EXAMPLE)
    low, high = values
    if low >= high:
        raise BadArgument(f"In '{text}' the lower bound '{_text(low)}' is not below '{_text(high)}'.", EXAMPLE)
    if kind == "log" and low <= 0:
        raise BadArgument(f"In '{text}' the lower bound '{_text(low)}' has no logarithm.", EXAMPLE)
    return Space(key, kind, values)


def share(*words: object) -> float:
    """A number in [0, 1) that depends on the words alone: the first 53 bits of their SHA-256."""
    return (_digest(words) >> (64 - 53)) / (1 << 53)


def whole(*words: object) -> int:
    """A whole number in [0, 2³¹) that depends on the words alone."""
    return _digest(words) >> 33


def _digest(words: tuple[object, ...]) -> int:
    text = "\n".join(["gated sweep", *map(str, words)])
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()[:8], "big")


def _text(value: Any) -> str:
    return f"{value:.{DIGITS}g}" if isinstance(value, float) else str(value)
