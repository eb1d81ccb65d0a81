"""How help reads: commands and options in groups, examples last, each on a line of its own to be copied."""

import shutil
from collections.abc import Callable, Iterable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from gatedtui.cli.examples import EXAMPLES

NARROW = 52
"""Columns of a terminal below which help is laid out for it."""
FIRST_SENTENCE = 300
"""Characters of a command's help from which the list of commands takes the first sentence."""


PLACES = {"--set": "KEY=VALUE", "--out": "FILE", "--runs": "DIR", "--results": "FILE", "--html": "FILE"}
"""What stands behind an option in its help, where that is neither a number nor the option's own name."""
NUMBERS = {"int": "N", "float": "X"}


class Command(TyperCommand):
    """A command whose options stand under the headings of their `rich_help_panel`, and which ends with examples."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Writes arguments, then a section for each group of options; those without a group come last."""
        _options(self, ctx, formatter)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Writes the examples."""
        _examples(ctx, formatter)

    def get_help(self, ctx: Any) -> str:
        """The whole text, no wider than the terminal."""
        _fit(ctx)
        return super().get_help(ctx)


class Group(TyperGroup):
    """A command with commands, in sections by their `rich_help_panel`, each with its whole first sentence."""

    def invoke(self, ctx: Any) -> Any:
        """Runs the command; Ctrl-C comes out as `Abort`, where Typer would end with 130 and not say a word."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise typer.Abort from None

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Writes options, then the commands: what is looked for first stands nearest to the prompt."""
        _options(self, ctx, formatter)
        commands = [(name, self.commands[name]) for name in self.list_commands(ctx)]
        shown = [(name, command) for name, command in commands if not command.hidden]
        width = max(len(name) for name, _ in shown)
        for title, members in _grouped(shown, lambda member: getattr(member[1], "rich_help_panel", None), "Commands"):
            with formatter.section(title):
                _list(
                    formatter,
                    [(name.ljust(width), command.get_short_help_str(FIRST_SENTENCE)) for name, command in members],
                )

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Writes the examples."""
        _examples(ctx, formatter)

    def get_help(self, ctx: Any) -> str:
        """The whole text, no wider than the terminal."""
        _fit(ctx)
        return super().get_help(ctx)


def _fit(ctx: Any) -> None:
    """Has the help of a narrow terminal wrapped for it; by itself it is never narrower than 50 columns."""
    columns = shutil.get_terminal_size().columns
    if columns < NARROW:
        ctx.terminal_width = max(columns - 1, 12)


def _list(formatter: Any, rows: list[tuple[str, str]]) -> None:
    """A list of words and what they mean; on a narrow terminal the meaning stands below the word."""
    if formatter.width >= NARROW - 2:
        formatter.write_dl(rows)
        return
    for word, meaning in rows:
        formatter.write(f"{'':{formatter.current_indent}}{word.rstrip()}\n")
        with formatter.indentation():
            formatter.write_text(meaning)


def _options(command: TyperCommand | TyperGroup, ctx: Any, formatter: Any) -> None:
    arguments, options = [], []
    for parameter in command.get_params(ctx):
        if (record := parameter.get_help_record(ctx)) is not None:
            found = arguments if parameter.param_type_name == "argument" else options
            found.append((getattr(parameter, "rich_help_panel", None), (_named(*record), record[1])))
    if arguments:
        with formatter.section("Arguments"):
            _list(formatter, [record for _, record in arguments])
    for title, members in _grouped(options, lambda member: member[0], "Options"):
        with formatter.section(title):
            _list(formatter, [record for _, record in members])


def _named(words: str, meaning: str) -> str:
    """`--epochs N` for `--epochs <int>`: what is to be put there, in the words of the README, not its Python type."""
    name, _, kind = words.partition(" <")
    if not kind:
        return words
    if not name.startswith("-"):
        return name
    option = name.rpartition(" ")[2].rpartition(",")[2]
    if option == "--out" and "folder" in meaning:
        return f"{name} DIR"
    number = NUMBERS.get(kind.rstrip(">").removeprefix("list[").removesuffix("]"))
    return f"{name} {PLACES.get(option) or number or option.strip('-').upper()}"


def _grouped(members: Iterable[Any], panel: Callable[[Any], str | None], other: str) -> list[tuple[str, list[Any]]]:
    """Members by the title of their panel, in the order titles first come; those without one last, as `other`."""
    found: dict[str, list[Any]] = {}
    rest = []
    for member in members:
        title = panel(member)
        (found.setdefault(title, []) if title else rest).append(member)
    return [*found.items(), *([(other, rest)] if rest else [])]


def _examples(ctx: Any, formatter: Any) -> None:
    """The command's examples: never broken over lines, so that they can be copied; what they do stands below."""
    words = ctx.command_path.split()[1:]
    examples = EXAMPLES.get(" ".join(words), ())
    if not examples:
        return
    with formatter.section("Examples"):
        for example in examples:
            formatter.write(f"{'':{formatter.current_indent}}{example.command}\n")
            with formatter.indentation(), formatter.indentation():
                formatter.write_text(example.does)
