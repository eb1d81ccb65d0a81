"""`gated listen --blind`: one line that plays A, B and X, hides what they are, and counts the answers."""

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gatedtui import atomic
from gatedtui.cli import output, transport
from gatedtui.cli.keys import Keys
from gatedtui.errors import GatedError
from gatedtui.listen import blind, player, results
from gatedtui.listen.blind import Answer, Task, Trial
from gatedtui.listen.items import Item, write_clips
from gatedtui.listen.player import Playing

SILENT = Path("listen-blind")
"""The folder of the clips where nothing here can play and `--out` names none."""
ANSWERS = {"1": "a", "2": "b"}


def run(
    collect: Callable[[int], list[Item]],
    *,
    task: Task,
    trials: int,
    excerpts: int,
    seed: int,
    results_file: Path | None,
    out: Path | None,
    json: bool,
) -> None:
    """Runs a blind test and adds its answers to the results file, also when it is left early.

    Args:
        collect: the items of excerpt k, matched.
        task, trials, excerpts, seed: as for `blind.trials`.
        results_file: where answers are kept; None = `listen-results.json`.
        out: a folder for the clips, for listening elsewhere.
        json: print the session as JSON.

    Raises:
        BadArgument: the items do not suit the task.
        BadSource: the results file or the clips cannot be written.
    """
    path = results_file or Path(results.DEFAULT)
    results.read(path)  # before anybody has answered anything
    first = collect(0)
    order = blind.trials(task, trials, [item.kind == "real" for item in first], excerpts=excerpts, seed=seed)
    sets = [first, *(collect(excerpt) for excerpt in range(1, min(excerpts, trials)))]
    _explain(task, order, len(sets))
    answers: list[Answer] = []
    how, session = "", {}
    try:
        with tempfile.TemporaryDirectory(prefix="gated-blind-") as folder:
            flat = [item for items in sets for item in items]
            clips = write_clips(flat, Path(folder), names=[f"{number:03}" for number in range(len(flat))])
            with player.start_clips(clips) as playing:
                while (outcome := playing.poll()) is None and not playing.ready:
                    time.sleep(0.02)
                if outcome is not None and outcome.end == "silent":
                    output.say(_reason(outcome.what))
                silent = outcome is not None
                if silent or out is not None or not output.on_a_terminal():
                    _hand_out(order, clips, len(first), out or SILENT)
                how = "" if silent else playing.how
                _ask_all(task, order, answers, playing, len(first), silent=silent)
    except KeyboardInterrupt:
        if not answers:
            raise
        output.say("interrupted")
    finally:
        if answers:
            session = results.session(task, answers, sets, asked=trials, seed=seed, how=how)
            try:
                results.add(path, session)
            except GatedError:
                output.document(session)  # nothing else holds the answers
                raise
    if not answers:
        output.say("No answers, nothing kept.")
        return
    output.document(session) if json else _tell(session, path)


def _explain(task: Task, order: Sequence[Trial], excerpts: int) -> None:
    output.say(f"{len(order)} trials. {blind.QUESTIONS[task]} Which is which is told at the end.")
    if excerpts == 1 and len(order) > 1:
        output.say("All of one excerpt: the answer is about it alone; --excerpts 5 asks about the models.")


def _hand_out(order: Sequence[Trial], clips: Sequence[Path], count: int, folder: Path) -> None:
    """Writes every trial's clips under names that tell nothing."""
    atomic.folder(folder)
    for number, trial in enumerate(order, 1):
        for letter, item in (("a", trial.a), ("b", trial.b), ("x", trial.x)):
            if item is not None:
                content = clips[trial.excerpt * count + item].read_bytes()
                atomic.write(folder / f"trial-{number:02}-{letter}.wav", content)
    output.say(f"The clips are in '{folder}': trial-01-a.wav, trial-01-b.wav …")


def _ask_all(
    task: Task, order: Sequence[Trial], answers: list[Answer], playing: Playing, count: int, *, silent: bool
) -> None:
    """Asks one trial after the other, until all are answered or the listener leaves."""
    if not output.on_a_terminal():
        for number, trial in enumerate(order, 1):
            output.say(f"trial {number} of {len(order)}: 1 = A, 2 = B, q = leave")
            begun = time.monotonic()
            said = _from_line(sys.stdin.readline)
            if said is None:
                return
            answers.append(Answer(trial, said, time.monotonic() - begun))
        return
    with Keys() as keys:
        for number, trial in enumerate(order, 1):
            begun = time.monotonic()
            said = _ask(task, number, len(order), trial, playing, count, keys, silent=silent)
            output.again("")
            if said is None:
                return
            answers.append(Answer(trial, said, time.monotonic() - begun))


def _from_line(read: Callable[[], str]) -> str | None:
    """An answer typed as a line; None at the end or for `q`."""
    while line := read():
        word = line.strip().lower()
        if word in ("q", "quit"):
            return None
        if (said := ANSWERS.get(word, word)) in ("a", "b"):
            return said
        output.say(f"'{word}' is no answer: 1 = A, 2 = B, q = leave")
    return None


def _ask(
    task: Task, number: int, count: int, trial: Trial, playing: Playing, items: int, keys: Keys, *, silent: bool
) -> str | None:
    """Asks one trial by keys; None when the listener leaves."""
    places = {"a": trial.a, "b": trial.b} | ({} if trial.x is None else {"x": trial.x})
    heard, letter = {name: trial.excerpt * items + item for name, item in places.items()}, "a"
    choose = {"abx": "1 X is A  2 X is B", "prefer": "1 A  2 B is better", "real": "1 A  2 B is real"}[task]
    playing.pause()
    playing.switch(heard["a"])
    playing.seek(0.0)
    while True:
        width = shutil.get_terminal_size().columns
        head = f"trial {number}/{count}"
        if silent:
            output.again(f"{head}  {choose}  q leave"[: width - 1])
        else:
            words = f"{' '.join(heard)} switch · space · ←→ · {choose} · q leave"
            output.again(transport.line(playing, f"{head} {letter.upper()}", words, width))
        for key in keys.read(transport.TICK_S):
            if key in ANSWERS:
                playing.pause()
                return ANSWERS[key]
            if key in ("q", "escape"):
                return None
            if key in heard and not silent:
                letter = key
                playing.switch(heard[key])
                playing.resume()
            elif not silent:
                transport.obey(playing, key)


def _tell(session: dict[str, Any], path: Path) -> None:
    """The result in words."""
    found = session["result"]
    output.result(f"{', '.join(session['items'])}: {len(session['trials'])} answers")
    if session["task"] == "prefer":
        for pair in found["pairs"]:
            (one, other), (wins, losses) = pair["pair"], pair["chosen"]
            output.result(f"  {one} {wins} : {losses} {other}   p = {pair['p_value']:.3f} (sign test, two-sided)")
    else:
        output.result(
            f"  {found['correct']} of {found['trials']} right; so many or more by guessing: p = {found['p_value']:.3f}"
        )
        for label, told in found.get("told_apart", {}).items():
            output.result(f"  real told from {label}: {told['correct']} of {told['trials']}, p = {told['p_value']:.3f}")
    for number, trial in enumerate(session["trials"], 1):
        labels = {name: session["items"][trial[name]] for name in "abx" if trial[name] is not None}
        shown = "  ".join(f"{name.upper()} {label}" for name, label in labels.items())
        right = {True: "✔", False: "✖"}.get(trial.get("correct"), " ")
        output.say(f"  {number:2} {right} said {trial['answer'].upper()}   {shown}")
    output.say(f"kept in {path}")


def _reason(what: str) -> str:
    """Of `Cannot play 'x' here: PortAudio is missing.` the second half, which is about the machine."""
    reason = what.partition(" here: ")[2] or what
    return reason[:1].upper() + reason[1:]
