"""The process that lets coverage choose the damaged files: `python guided.py TARGET COUNT SEED FOLDER`.

The parsers, the bounds and the audit hook are those of `child.py`; the inputs come from libFuzzer through atheris. It
keeps each input that reached a branch of the package that none had reached, and damages those further. Half of the
changes are libFuzzer's own, half those of `mutate.py`, which know what a number or a piece of such a file looks like.

The first byte of an input that can be packed says whether it is. What was found so far lies in FOLDER after every
input, so that a process that is killed by one has not tried the others in vain.
"""

import json
import os
import random
import resource
import signal
import sys
import time
from collections import Counter
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["gatedtui", "tomllib"]):
    import child
    import targets
    from mutate import damaged

LONGEST = 1 << 16
"""Bytes of the longest input; the seeds have 50 to 14,000."""
TOLD = 20
"""Problems that are told of one by one: once coverage leads to a fault, most inputs that follow show it again."""


def main(name: str, count: int, seed: int, folder: Path) -> None:
    """Tries `count` inputs and leaves what came out in FOLDER."""
    sys.dont_write_bytecode = True
    target, told, armed = targets.TARGETS[name], [], [False]
    packs = target.wrap is not targets.unchanged

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if armed[0] and (problem := child.forbidden(event, arguments, folder)):
            told.append(problem)

    def unpacked(data: bytes) -> bytes:
        if not packs:
            return data
        return target.wrap(data[1:]) if target.always or data[:1] == b"\1" else data[1:]

    originals = list(target.seeds(folder))
    corpus, inputs, path = folder / "corpus", folder / "inputs", folder / target.file
    with atheris.instrument_imports(include=["gatedtui", "tomllib"]):  # what the readers import when they are called
        for content in [*originals, *map(target.wrap, originals)]:
            child.attempt(target, path, content)
    if not corpus.exists():
        for place in (corpus, inputs):
            place.mkdir()
        for number, content in enumerate(originals):
            for kind in (b"\1", b"\0") if packs else (b"",):
                (corpus / f"seed-{number}-{len(kind) and kind[0]}").write_bytes(kind + content)

    outcomes, problems, slowest = Counter[str](), [], 0.0
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def tell() -> None:
        grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb
        found = {"outcomes": outcomes, "problems": problems, "slowest_s": slowest, "grown_mib": grown_kb / 1024}
        (folder / "found.json").write_text(json.dumps(found))

    def one(data: bytes) -> None:
        nonlocal slowest
        content = unpacked(data)
        began = time.monotonic()
        armed[0] = True
        outcome = child.attempt(target, path, content)
        armed[0] = False
        slowest = max(slowest, time.monotonic() - began)
        outcomes[outcome if outcome in ("read", "refused") else "problem"] += 1
        tried = outcomes.total()
        if outcome not in ("read", "refused") or told:
            if len(problems) < TOLD:
                kept = inputs / f"{os.getpid()}-{tried}-{path.name}"
                kept.write_bytes(content)
                problems.append({"input": str(kept), "outcome": outcome, "did": told[:3]})
            told.clear()
        tell()
        if tried >= count:
            sys.stderr.flush()
            os._exit(0)  # libFuzzer counts its own way, and would go on

    def changed(data: bytes, most: int, chance_seed: int) -> bytes:
        chance = random.Random(chance_seed)
        if chance.random() < 0.5:
            return atheris.Mutate(data, most)
        head = bytes([chance.randrange(2)]) if packs else b""
        return (head + damaged(data[len(head) :], chance, originals))[:most]

    options = {"seed": seed, "max_len": LONGEST, "timeout": 0, "rss_limit_mb": 0, "reduce_inputs": 0, "prefer_small": 0}
    options["mutate_depth"] = 2  # `changed` makes several changes itself
    words = [sys.argv[0], str(corpus), *(f"-{key}={value}" for key, value in options.items())]
    atheris.Setup(words, one, custom_mutator=changed)
    sys.addaudithook(watch)
    child.limit_memory()
    atheris.Fuzz()


if __name__ == "__main__":
    signal.signal(signal.SIGALRM, child.out_of_time)
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]).resolve())
