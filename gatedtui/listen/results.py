"""The file that keeps blind tests: a JSON document with one entry a session, added to and never overwritten."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gatedtui import atomic, strict_json
from gatedtui.errors import BadSource
from gatedtui.listen.blind import Answer, Task, results
from gatedtui.listen.items import Item, drawn_again, unique

DEFAULT = "listen-results.json"
FORMAT = 1


def read(path: Path) -> list[dict[str, Any]]:
    """The sessions in the file; none where there is no file.

    Raises:
        BadSource: it is not one of ours, or cannot be read.
    """
    if not path.exists():
        return []
    try:
        content = strict_json.loads(path.read_text(encoding="utf-8"))
        sessions = content["sessions"]
        if content["format"] != FORMAT or not isinstance(sessions, list):
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise BadSource(f"The file '{path}' does not hold blind tests.", "Give another: --results FILE.json") from None
    return sessions


def session(
    task: Task, answers: Sequence[Answer], excerpts: Sequence[Sequence[Item]], *, asked: int, seed: int, how: str
) -> dict[str, Any]:
    """A blind test as the file keeps it.

    Args:
        task: what was asked.
        answers: those that were given.
        excerpts: the items of each excerpt, in one order.
        asked: trials that were planned.
        seed: of the order.
        how: what played; empty where the listener played the files.
    """
    names = labels(excerpts)
    return {
        "task": task,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": seed,
        "complete": len(answers) == asked,
        "played_with": how,
        "items": names,
        "excerpts": [
            [{"label": item.label, "source": item.source, "command": drawn_again(item)} for item in items]
            for items in excerpts
        ],
        "trials": [
            asdict(answer.trial)
            | {"answer": answer.said, "seconds": round(answer.after_s, 1)}
            | ({"correct": answer.said == answer.trial.right} if answer.trial.right else {})
            for answer in answers
        ],
        "result": results(task, answers, names),
    }


def labels(excerpts: Sequence[Sequence[Item]]) -> list[str]:
    """What the items of all excerpts are called.

    Excerpts of a real piece differ in its number (`bach:3`, `bach:4`), so that only the set's name is left.
    """
    several = len(excerpts) > 1
    return unique([_name(item.label, item.kind == "real" and several) for item in excerpts[0]])


def _name(label: str, of_several: bool) -> str:
    return label.partition(":")[0] if of_several else label


def add(path: Path, done: dict[str, Any]) -> None:
    """Adds a session to the file, whole or not at all.

    Raises:
        BadSource: as `read`, or it cannot be written.
    """
    content = {"format": FORMAT, "sessions": [*read(path), done]}
    atomic.write(path, (json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode())
