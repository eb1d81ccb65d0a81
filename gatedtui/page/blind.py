"""The page of `gated listen --blind --html`: clips without names, and a test that tells them at its end."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from gatedtui.listen import results
from gatedtui.listen.blind import Task, Trial
from gatedtui.page import listening, shell
from gatedtui.page.clip import Clip
from gatedtui.page.html import data, tag
from gatedtui.page.sealed import seal

TITLES = {"abx": "Can you hear the difference?", "prefer": "Which do you prefer?", "real": "Which is the real one?"}


def page(task: Task, order: Sequence[Trial], excerpts: Sequence[Sequence[Clip]], *, seed: int) -> str:
    """The whole page.

    The clips stand in the file in an order of their own, without a word about them; what is played when, and what is
    what, is sealed (see `page.sealed` for what that means).

    Args:
        task: what is asked.
        order: the trials, one at least.
        excerpts: the clips of each excerpt, in one order of what they are; matched and compressed alike.
        seed: of the order of the clips in the file, and told in the results.
    """
    flat = [clip for clips in excerpts for clip in clips]
    places = np.random.default_rng([seed, len(flat)]).permutation(len(flat)).tolist()
    """Where in the file each clip stands."""
    count = len(excerpts[0])

    def place(trial: Trial, item: int | None) -> int | None:
        return None if item is None else places[trial.excerpt * count + item]

    trials = [
        asdict(trial) | {"play": {letter: place(trial, getattr(trial, letter)) for letter in ("a", "b", "x")}}
        for trial in order
    ]
    names: dict[str, Any] = {
        "labels": results.labels([[clip.item for clip in clips] for clips in excerpts]),
        "clips": [[listening.told(clip) for clip in clips] for clips in excerpts],
    }
    asked = listening.questions([clip.item for clip in flat])[task]
    title = "Which one is Bach?" if asked.endswith("Bach?") else TITLES[task]
    about = {"task": task, "question": asked, "seed": seed, "order": seal(trials), "names": seal(names)}
    standing = sorted(zip(places, flat, strict=True), key=lambda pair: pair[0])
    clips = [
        tag(
            "li",
            tag("p", f"Clip {number}", class_="name"),
            tag("audio", controls=True, preload="auto", src=clip.audio, aria_label=f"Clip {number}"),
            class_="clip",
        )
        for number, (_, clip) in enumerate(standing, 1)
    ]
    trials_said = "one trial" if len(order) == 1 else f"{len(order)} trials"
    body = [
        tag(
            "header",
            tag("h1", title),
            tag("p", f"A blind test of {trials_said}. Which is which is told at its end.", class_="lead"),
        ),
        tag(
            "main",
            tag(
                "section",
                data("player-1-data", about),
                tag("div", class_="test", hidden=True),
                tag("ol", *clips, class_="clips anonymous"),
                tag("p", "The test needs JavaScript; without it, these are its clips.", class_="unscripted"),
                tag("p", class_="said", role="status"),
                class_="player sealed",
                id="player-1",
                tabindex="-1",
                aria_label="Blind test",
            ),
        ),
        listening.footer(),
    ]
    return shell.document(f"{title} – gated", body, scripts=shell.LISTENING)
