"""Text laid out for a terminal of some width, or for none: tables, paragraphs, lines of parts. Pure."""

import textwrap
from collections.abc import Collection, Sequence

LEAST = 16
"""Columns a folded column has at least."""


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Collection[int] = (),
    spare: Sequence[str] = (),
    folds: bool = False,
    width: int | None = None,
) -> tuple[list[str], list[str]]:
    """The lines of a table, and the headings left out of it.

    Args:
        columns: the headings.
        rows: cells, as many a row as there are headings.
        right: numbers of the columns that are flush right.
        spare: headings of columns to go without where the table is too wide, the first of them first.
        folds: whether the last column is text that may go on below itself.
        width: columns of the terminal; None where there is none.
    """
    kept, gap, left_out = list(range(len(columns))), 2, []
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]

    def wide() -> int:
        return sum(widths[i] for i in kept) + gap * (len(kept) - 1)

    if width is not None and folds and wide() > width:
        widths[-1] = max(widths[-1] - (wide() - width), LEAST)
    if width is not None and wide() > width:
        gap = 1
    for name in spare:
        if width is not None and wide() > width:
            kept.remove(columns.index(name))
            left_out.append(name)
    if left_out and width is not None and wide() + len(kept) - 1 <= width:
        gap = 2
    lines = []
    for cells in [columns, *rows]:
        folded = textwrap.wrap(cells[-1], widths[-1]) if folds else []
        put = [*cells[:-1], folded[0] if folded else cells[-1]]
        line = [put[i].rjust(widths[i]) if i in right else put[i].ljust(widths[i]) for i in kept]
        lines.append((" " * gap).join(line).rstrip())
        lines += [" " * (wide() - widths[-1]) + more for more in folded[1:]]
    return lines, left_out


def paragraph(text: str, *, width: int | None = None) -> list[str]:
    """A text as lines of at most `width`, those after the first two columns in; one line where there is no width."""
    if width is None or len(text) <= width:
        return [text]
    return textwrap.wrap(
        text,
        max(width, LEAST),
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    )


def parts(words: Sequence[str], *, width: int | None = None) -> list[str]:
    """Parts beside each other, three columns apart; those that do not fit begin a line, two columns in."""
    lines: list[str] = []
    for word in words:
        if lines and (width is None or len(lines[-1]) + 3 + len(word) <= width):
            lines[-1] += f"   {word}"
        else:
            lines.append(f"  {word}" if lines else word)
    return lines


def hanging(head: str, text: str, *, width: int | None = None) -> list[str]:
    """A text behind a heading, going on below itself where the terminal is too narrow."""
    if width is None or len(head) + len(text) <= width:
        return [head + text]
    lines = textwrap.wrap(text, max(width - len(head), LEAST), break_on_hyphens=False) or [""]
    return [head + lines[0], *(" " * len(head) + line for line in lines[1:])]
