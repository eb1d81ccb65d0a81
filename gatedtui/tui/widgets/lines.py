"""Lines of styled pieces, drawn as they are: nothing is read as markup, nothing wraps, what is too long is cut."""

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from gatedtui.tui import looks
from gatedtui.tui.looks import Spans


class Lines(Widget):
    """Shows lines; redraws only when they change. Its height is the number of lines unless styled otherwise."""

    DEFAULT_CSS = """
    Lines { width: 1fr; height: auto; }
    """

    def __init__(self, lines: Sequence[Spans] = (), *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: list[Spans] = list(lines)
        self._ground = Style()

    def show(self, lines: Sequence[Spans]) -> None:
        """Shows these from now on."""
        fresh = list(lines)
        if fresh != self._lines:
            taller = len(fresh) != len(self._lines) and self.styles.height is not None and self.styles.height.is_auto
            self._lines = fresh
            self.refresh(layout=taller)

    def spans(self, row: int) -> Spans:
        """The pieces of one line."""
        return self._lines[row] if row < len(self._lines) else []

    @property
    def text(self) -> str:
        """What is shown, without styles."""
        return "\n".join("".join(piece for piece, _ in line) for line in self._lines)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """As many rows as lines."""
        return len(self._lines)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Looks the ground up once for all lines."""
        self._ground = self.rich_style
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """One line, exactly as wide as the widget."""
        ground, width = self._ground, self.size.width
        line = self._lines[y] if y < len(self._lines) else []
        segments = [Segment(piece, looks.on(ground, style)) for piece, style in _cut(line, width)]
        return Strip(segments).adjust_cell_length(width, ground)


def _cut(line: Spans, width: int) -> Spans:
    """The line in at most `width` cells, with `…` where it was longer."""
    if looks.length(line) <= width:
        return line
    kept: Spans = []
    for piece, style in line:
        room = width - looks.length(kept)
        if looks.length([(piece, style)]) > room or room <= 0:
            return [*kept, (looks.shorten(piece + " …", room), style)]
        kept.append((piece, style))
    return kept
