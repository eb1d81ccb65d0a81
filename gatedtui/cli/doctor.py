"""`gated doctor`: what works on this machine, and what to type about what does not."""

import dataclasses

import typer

from gatedtui.cli import output
from gatedtui.cli.options import Json

SIGNS = {"ok": "✓", "warning": "!", "failed": "✗"}
NOT_POSSIBLE = 4


def doctor(json: Json = False) -> None:
    """Looks at versions, CPU, memory, kernel, devices, sound, folders, data, models and the terminal.

    Exits 0 unless training cannot work here (4).
    """
    from gatedtui.doctor import examine

    checks = []
    for check in examine():
        checks.append(check)
        if not json:
            output.fact(f"{SIGNS[check.state]} {check.name:14} {check.state:8} ", check.found)
            if check.fix and check.state != "ok":
                output.result(f"{'':26}→ {check.fix}")
    if json:
        output.document([dataclasses.asdict(check) for check in checks])
    if any(check.state == "failed" for check in checks):
        raise typer.Exit(NOT_POSSIBLE)
