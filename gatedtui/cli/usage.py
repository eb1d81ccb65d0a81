"""What Typer complains about, as one of our sentences: the value in quotes, then what to type."""

import re
from collections.abc import Sequence
from typing import Any

from typer.exceptions import TyperException

from gatedtui import paths
from gatedtui.errors import BadArgument, BadSource, nearest

NUMBERS = {"int_parsing": "a whole number", "int_from_float": "a whole number", "float_parsing": "a number"}
"""What an option takes, by the kind of Typer's complaint about its value."""

EXTRA = re.compile(r"Got unexpected extra argument\(s\) \((?P<words>.*)\)", re.DOTALL)
"""Typer's own words where there are too many words."""


def check_words(words: Sequence[str]) -> None:
    """Refuses words that mean nothing to any command, before anything is done.

    Raises:
        BadArgument: one is empty, which would count as left out, or cannot be spelled in UTF-8.
        BadSource: a path that cannot be spelled in UTF-8, as notes and pages beside a file would have to.
    """
    for before, word in zip(["gated", *words], words, strict=False):
        if not word or re.fullmatch(r"--[a-z-]+=", word):
            raise BadArgument(f"The word after '{word or before}' is empty: ''.", "Write a value, or leave it out.")
        shown = word.encode(errors="backslashreplace").decode()
        if shown != word:
            kind = BadSource if paths.is_path(word) else BadArgument
            raise kind(f"'{shown}' is not spelled in UTF-8.", "Rename it, or give another name.")


def wants_help(error: TyperException) -> bool:
    """Whether the complaint is that a group such as `gated runs` came without a command: its text is the help."""
    return type(error).__name__ == "NoArgsIsHelpError"


def complaint(error: TyperException) -> BadArgument:
    """The complaint as the error that is printed."""
    return BadArgument(_sentence(error), _hint(error))


def _sentence(error: TyperException) -> str:
    if type(error).__name__ == "NoSuchOption":
        option, known = getattr(error, "option_name", ""), getattr(error, "possibilities", None)
        guess = f" Did you mean '{nearest(option, known) or known[0]}'?" if known else ""
        return f"There is no option '{option}'.{guess}"
    wrong = _wrong_number(error) or _wrong_count(error)
    if wrong is not None:
        return wrong
    text = _own_words(error)
    return text if text.endswith((".", "?")) else f"{text}."


def _wrong_number(error: TyperException) -> str | None:
    """A sentence with the value that is no number; Typer keeps it in what it came from."""
    cause: Any = error.__cause__ or error.__context__
    parameter = getattr(error, "param", None)
    if parameter is None or not callable(getattr(cause, "errors", None)):
        return None
    first = cause.errors()[0]
    kind = NUMBERS.get(first.get("type", ""))
    name = (parameter.opts or [parameter.name])[0]
    return f"{name} must be {kind}, not '{first.get('input')}'." if kind else None


def _wrong_count(error: TyperException) -> str | None:
    """A sentence with the word that is one too many, or that is missing."""
    command = getattr(getattr(error, "ctx", None), "command_path", "gated")
    if type(error).__name__ == "MissingParameter" and (parameter := getattr(error, "param", None)):
        return f"'{str(parameter.name).upper()}' is missing after '{command}'."
    if extra := EXTRA.fullmatch(_own_words(error)):
        return f"'{command}' takes no further word, not '{extra['words']}'."
    return None


def _own_words(error: TyperException) -> str:
    return str(getattr(error, "format_message", lambda: error)()).strip()


def _hint(error: TyperException) -> str:
    """The command whose help says what was to be typed."""
    context: Any = getattr(error, "ctx", None)
    if context is None or context.parent is None:
        return "gated --help lists the commands, gated COMMAND --help its options."
    return f"{context.command_path} --help says what it takes."
