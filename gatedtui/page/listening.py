"""Clips side by side: one play-head, pictures, and a blind test of them; the page of `gated listen --html`."""

import shlex
from collections.abc import Sequence
from typing import Any

from gatedtui.listen.blind import QUESTIONS
from gatedtui.listen.items import Item, unique
from gatedtui.page import looks, pictures, shell
from gatedtui.page.clip import Clip
from gatedtui.page.html import Markup, data, join, tag

BACH = ("bach", "jsb")
KEYS = (
    ("1 … 9, 0", "that clip, from the same place"),
    ("↑ ↓", "the clip before or after, likewise"),
    ("space", "play or pause"),
    ("← →", "five seconds back or on; with shift, one"),
    ("Home", "the beginning"),
    ("[ ]", "the region begins or ends here; or drag across a picture"),
    ("l", "loop the region, or everything; off again"),
    ("Esc", "forget the region"),
    ("v", "the next picture: roll, waveform, spectrogram"),
    ("b", "a blind test"),
    ("?", "these keys"),
)


def page(clips: Sequence[Clip], *, title: str) -> str:
    """The whole listening page.

    Args:
        clips: one at least, in the order of their keys.
        title: what they have in common.
    """
    labels = [clip.item.label for clip in clips]
    body = [
        tag(
            "header",
            tag("h1", "Listen"),
            tag("p", " · ".join(labels), class_="names"),
            tag("p", title, class_="lead names"),
        ),
        tag("main", player(clips, [list(range(len(clips)))], number=1), commands(clips)),
        footer(),
    ]
    return shell.document(f"{', '.join(labels)} – gated", body, scripts=shell.LISTENING)


def player(clips: Sequence[Clip], sets: Sequence[Sequence[int]], *, number: int) -> Markup:
    """The listening part of a page.

    Every clip is an `<audio>` element with its own controls, which the script takes away: without it the page still
    plays. In a blind test made here the clips' rows leave the document, and which is A, B or X is drawn in the browser.

    Args:
        clips: matched; from the eleventh on they have no key.
        sets: for blind tests, the numbers of clips that belong to one excerpt, in one order of what they are; at
            least one set. There is a test where a set holds two clips or more.
        number: of the part on the page, from 1.
    """
    items = [clip.item for clip in clips]
    shown = pictures.drawn(items)
    rows = [_row(at, clip, shown[at]) for at, clip in enumerate(clips)]
    about = {
        "labels": unique([items[at].label for at in sets[0]]),
        "real": [items[at].kind == "real" for at in sets[0]],
        "sets": [list(one) for one in sets],
        "clips": [told(clip) for clip in clips],
        "questions": questions(items),
    }
    return tag(
        "section",
        data(f"player-{number}-data", about),
        _bar(pictures.views(items), blind=len(sets[0]) > 1),
        tag("ol", *rows, class_="clips"),
        tag("div", pictures.axis(items[0].duration_s), class_="ruler"),
        tag("div", class_="test", hidden=True),
        _keys(),
        tag("p", class_="said", role="status"),
        class_="player",
        id=f"player-{number}",
        tabindex="-1",
        aria_label="Listening",
    )


def told(clip: Clip) -> dict[str, Any]:
    """What is said about a clip after a blind test."""
    return {"label": clip.title, "source": clip.item.source, "command": shlex.join(clip.command)}


def questions(items: Sequence[Item]) -> dict[str, str]:
    """What the blind tests ask; of a chorale, which one is Bach."""
    sets = {item.label.partition(":")[0] for item in items if item.kind == "real"}
    return QUESTIONS | ({"real": "Which one is Bach?"} if sets and sets <= set(BACH) else {})


def commands(clips: Sequence[Clip]) -> Markup | None:
    """The commands that draw the clips again, where any was drawn."""
    lines = [shlex.join(clip.command) for clip in clips if clip.command]
    if not lines:
        return None
    return tag(
        "section",
        tag("h2", "Drawing them again"),
        tag("pre", tag("code", "\n".join(lines)), tabindex="0"),
        class_="names",
    )


def footer() -> Markup:
    """What made the page."""
    return tag(
        "footer",
        tag("p", "Made by gated. This file holds everything it shows and plays, and asks no other place for anything."),
    )


def _row(at: int, clip: Clip, shown: Markup) -> Markup:
    item, kind = clip.item, looks.family(clip.item)
    key = str((at + 1) % 10) if at < 10 else ""
    picked = "true" if at == 0 else "false"
    pick = tag(
        "button",
        tag("kbd", key),
        looks.sign(kind),
        tag("span", clip.title, class_="label"),
        type="button",
        class_="pick",
        aria_pressed=picked,
    )
    stage = tag(
        "div",
        shown,
        pictures.primer(item),
        tag("div", class_="region", hidden=True),
        tag("div", class_="head", aria_hidden="true"),
        class_="stage",
    )
    audio = tag("audio", controls=True, preload="auto", src=clip.audio, aria_label=clip.title)
    facts = tag("span", " · ".join(looks.facts(item)), class_="facts")
    return tag("li", tag("div", pick, facts, class_="name"), stage, audio, class_=f"clip {kind}", title=item.source)


def _bar(views: Sequence[str], *, blind: bool) -> Markup:
    choices = [
        tag(
            "button",
            pictures.NAMES[name],
            type="button",
            data_show=name,
            aria_pressed="true" if at == 0 else "false",
        )
        for at, name in enumerate(views)
    ]
    return tag(
        "div",
        tag("button", "▶", type="button", class_="play", aria_label="Play"),
        tag("output", "0:00", class_="time"),
        tag("button", "Loop", type="button", class_="loop", aria_pressed="false"),
        tag("span", *choices, class_="views", role="group", aria_label="Pictures"),
        tag("button", "Blind test", type="button", class_="blind") if blind else None,
        tag("button", "Keys", type="button", class_="help", aria_expanded="false"),
        class_="bar scripted",
        role="toolbar",
        aria_label="Playing",
    )


def _keys() -> Markup:
    rows = [join(tag("dt", key), tag("dd", does)) for key, does in KEYS]
    return tag("dl", *rows, class_="keys", hidden=True)
