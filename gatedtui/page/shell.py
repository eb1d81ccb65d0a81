"""A whole page: one file that loads nothing, with a policy that lets nothing but its own scripts run."""

import base64
import hashlib
from collections.abc import Sequence

from gatedtui import paths
from gatedtui.page.html import Markup, join, tag

LISTENING = ("deck.js", "player.js", "blind.js")
"""The scripts of the listening part, in the order they need each other."""
REPORT = (*LISTENING, "curves.js")


def document(title: str, body: Sequence[str], *, scripts: Sequence[str]) -> str:
    """The text of an HTML file.

    The content security policy names style and script by their SHA-256, so that even an element that slipped through
    unescaped could not run anything, and no address but `data:` is ever asked for.

    Args:
        title: of the window.
        body: what stands in it, back to front.
        scripts: names of files in `assets/page`, run in this order at the end of the body.
    """
    style = _asset("page.css")
    script = "".join(["(() => {\n'use strict';\n", *map(_asset, scripts), "})();\n"])
    policy = "; ".join(
        [
            "default-src 'none'",
            "media-src data:",
            "img-src data:",
            f"style-src '{_digest(style)}'",
            f"script-src '{_digest(script)}'",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    head = join(
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="generator", content="gated"),
        tag("title", title),
        tag("style", Markup(style)),
    )
    whole = tag("html", tag("head", head), tag("body", *body, tag("script", Markup(script))), lang="en")
    return f"<!doctype html>\n{whole}\n"


def _asset(name: str) -> str:
    return (paths.bundled("assets") / "page" / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
