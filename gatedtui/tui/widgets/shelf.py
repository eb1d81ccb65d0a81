"""All songs of a round, one below the other."""

from collections.abc import Mapping
from typing import cast

from textual.containers import Vertical

from gatedtui.tui import pieces
from gatedtui.tui.songs import Song
from gatedtui.tui.widgets.song import SongPanel, State


class Shelf(Vertical):
    """Shows songs by their places, all on one scale and under one play-head."""

    DEFAULT_CSS = """
    Shelf { height: 1fr; }
    """

    def show(self, shown: Mapping[int, tuple[Song, State]], *, alone: int | None = None) -> None:
        """Shows these from now on; of all only the one at the place `alone`, where it is given."""
        panels = {panel.number: panel for panel in self.query(SongPanel)}
        for gone in [place for place in panels if place not in shown]:
            panels.pop(gone).remove()
        fresh = {place: SongPanel(place) for place in sorted(shown) if place not in panels}
        if fresh:
            self.mount(*fresh.values())
            self.sort_children(key=lambda panel: cast("SongPanel", panel).number)
        scale = pieces.scale([song.piece for song, _ in shown.values() if song.piece is not None])
        for place, panel in (panels | fresh).items():
            panel.display = alone in (None, place)
            panel.show(*shown[place], scale)

    def point(self, at_s: float | None, chosen: int, time: str) -> None:
        """Moves the play-head, and the clock beside the chosen song.

        In the other songs it moves once a second: all of them at once take three times as long to paint.
        """
        for panel in self.query(SongPanel):
            if panel.number == chosen:
                panel.point(at_s)
                panel.tick(time)
            else:
                panel.point(None if at_s is None else float(int(at_s)))
