"""Damage done to a file at random: what the fuzzer tries is a real file after a few of these."""

import random
import re
from collections.abc import Sequence

NUMBERS = (0, 1, 2, 7, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63, 2**64 - 1)
WORDS = [
    *(str(number).encode() for number in (-1, 0, 999_999_999, 2**31, 2**63, 10**30, -(10**18))),
    b"1" + b"0" * 400,
    b"9" * 5000,
    *b"1e999 -1e999 NaN nan inf -Infinity null true false 0.0 1e-400 0x10 \xff\xfe \x00 \x1b[2J".split(),
    b"../../x",
    b"/etc/passwd",
    b"[" * 3000,
    b'{"a":' * 3000,
    b"<a>" * 3000,
    b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>',
    b"&b;",
    b"\\ud800",
    "é♪𝄞".encode(),
    b"cposix\nsystem\n(S'touch it-ran'\ntR.",
    b"\n",
    b"",
]


def damaged(content: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    """`content` after one to six changes, each drawn by `chance`; `others` are files to splice parts of in."""
    made = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 6))):
        chance.choice(CHANGES)(made, chance, others)
    return bytes(made)


def _place(made: bytearray, chance: random.Random) -> int:
    """A place in it; every other one near the beginning, where headers are."""
    return chance.randrange(min(len(made), 200) + 1) if chance.random() < 0.5 else chance.randrange(len(made) + 1)


def _flip(made: bytearray, chance: random.Random, _others: Sequence[bytes]) -> None:
    if made:
        made[min(_place(made, chance), len(made) - 1)] ^= 1 << chance.randrange(8)


def _number(made: bytearray, chance: random.Random, _others: Sequence[bytes]) -> None:
    """An integer of one to eight bytes in either order."""
    size, at = chance.choice((1, 2, 4, 8)), _place(made, chance)
    value = chance.choice(NUMBERS) & (256**size - 1)
    made[at : at + size] = value.to_bytes(size, chance.choice(("little", "big")))


def _written_number(made: bytearray, chance: random.Random, _others: Sequence[bytes]) -> None:
    """Another number, or anything, in the place of one written in digits."""
    found = list(re.finditer(rb"-?\d+(?:\.\d+)?", made[:20_000]))
    if found:
        match = chance.choice(found)
        made[match.start() : match.end()] = chance.choice(WORDS)


def _word(made: bytearray, chance: random.Random, _others: Sequence[bytes]) -> None:
    at = _place(made, chance)
    made[at:at] = chance.choice(WORDS)


def _cut(made: bytearray, chance: random.Random, _others: Sequence[bytes]) -> None:
    del made[_place(made, chance) :]


def _drop(made: bytearray, chance: random.Random, _others: Sequence[bytes]) -> None:
    at = _place(made, chance)
    del made[at : at + chance.choice((1, 2, 4, 16, 100))]


def _repeat(made: bytearray, chance: random.Random, _others: Sequence[bytes]) -> None:
    at = _place(made, chance)
    part = made[at : at + chance.choice((1, 4, 30, 300))]
    made[at:at] = part * chance.choice((1, 2, 50))


def _splice(made: bytearray, chance: random.Random, others: Sequence[bytes]) -> None:
    other = chance.choice(others) if others else b""
    first = chance.randrange(len(other) + 1)
    at = _place(made, chance)
    made[at : at + chance.choice((0, 10, 100))] = other[first : first + chance.choice((4, 40, 400))]


CHANGES = (_flip, _flip, _number, _number, _written_number, _written_number, _word, _cut, _drop, _repeat, _splice)
