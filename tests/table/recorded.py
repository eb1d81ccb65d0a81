"""Runs written by hand: their events say what the table has to make of them."""

import json
from pathlib import Path
from typing import Any

from gatedtui import config
from gatedtui.runs.folder import RunFolder, create
from gatedtui.sweep import folder as sweeps
from gatedtui.sweep.folder import SweepFolder
from gatedtui.sweep.local import place
from gatedtui.sweep.plan import sweep, trials


def write(run: RunFolder, valid: list[float], *, test: tuple[float, float] | None, last: str = "finished") -> None:
    """A run whose epochs have these validation NLLs, 10 updates and 2 seconds each, and that ended so."""
    lines: list[dict[str, Any]] = [{"event": "started", "unit": "gru", "data": "jsb", "marginal_nll": 11.0}]
    for number, value in enumerate(valid, 1):
        epoch = {"event": "epoch", "epoch": number, "updates": 10 * number, "elapsed_s": 2.0 * number}
        lines.append(epoch | {"valid_nll": value, "valid_nll_sequence": value - 0.1, "train_nll": value - 1})
    end: dict[str, Any] = {"event": last}
    if test is not None:
        best = min(valid)
        end |= {"best_epoch": valid.index(best) + 1, "valid_nll": best, "train_nll_frame": best - 1}
        end |= {"train_nll_sequence": best - 1.5, "test_nll_frame": test[0], "test_nll_sequence": test[1]}
    run.events_path.write_text("".join(json.dumps(line) + "\n" for line in [*lines, end]))


def run(runs: Path, name: str, valid: list[float], test: tuple[float, float] | None, **more: Any) -> RunFolder:
    """A finished run of GRU on JSB by the paper's recipe."""
    last = more.pop("last", "finished")
    values = {"model.unit": "gru", "data.name": "jsb"} | {key.replace("__", "."): v for key, v in more.items()}
    made = create(runs, name, config.build(values))
    write(made, valid, test=test, last=last)
    return made


def swept(
    runs: Path, name: str, figures: dict[str, tuple[list[float], tuple[float, float], str]], **words: Any
) -> SweepFolder:
    """A sweep of GRU on JSB whose trials, by name, have these validation NLLs, test NLLs and last events."""
    made = sweep(**({"units": ["gru"], "data": ["jsb"], "draws": 2} | words))
    folder = sweeps.create(runs, name, made)
    for trial in trials(made):
        if trial.name in figures:
            valid, test, last = figures[trial.name]
            write(place(folder, trial), valid, test=test if last == "finished" else None, last=last)
    return folder
