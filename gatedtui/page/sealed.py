"""Texts that a page carries without showing them: unreadable to whoever looks at its source, open to its own script.

What this protects from: eyes. Nothing that is sealed can be read in the file, found by searching it, or seen in a
browser's inspector before the page opens it. What it does not protect from: somebody who runs the page's own script on
it. A page that tells the answers at its end holds everything needed to tell them earlier; a test against someone who
wants to cheat belongs in the terminal (`gated listen --blind`), with the clips handed out.
"""

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any


def seal(value: Any) -> dict[str, Any]:
    """The value sealed: `key`, a number, and `text`, base64 of its JSON under the key's stream of bytes.

    The key is taken from the value's own digest, so that equal pages have equal bytes.
    """
    plain = json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    key = int.from_bytes(hashlib.sha256(plain).digest()[:4], "big")
    return {"key": key, "text": base64.b64encode(_under(plain, key)).decode()}


def unseal(sealed: dict[str, Any]) -> Any:
    """The inverse, as `blind.js` does it."""
    return json.loads(_under(base64.b64decode(sealed["text"]), sealed["key"]))


def _under(content: bytes, key: int) -> bytes:
    return bytes(byte ^ mask for byte, mask in zip(content, _stream(key), strict=False))


def _stream(key: int) -> Iterator[int]:
    """Bytes of xorshift32 (Marsaglia 2003, *Xorshift RNGs*, J. Stat. Softw. 8): small enough to say twice, here and in
    `blind.js`."""
    state = key or 1
    while True:
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        yield state >> 24
