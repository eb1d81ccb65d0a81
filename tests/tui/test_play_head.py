import threading
import time
from pathlib import Path

import pytest

from gatedtui.tui import deck
from gatedtui.tui.deck import Head, Order, Orders


class Outcome:
    end = "silent"
    what = "Cannot play 'x' here: no player is on PATH."


class Playing:
    """Stands in for `listen.player.Playing`."""

    def __init__(self, paths, *, outcome=None, length_s=10.0):
        self.paths, self.outcome, self.duration_s = paths, outcome, length_s
        self.done, self.playing, self.position_s, self.closed = [], False, 0.0, False

    def poll(self):
        return self.outcome

    def switch(self, clip):
        self.done.append(("switch", clip))

    def seek(self, place_s):
        self.position_s = place_s

    def resume(self):
        self.playing = True

    def pause(self):
        self.playing = False

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.closed = True


PATHS = [Path("a.wav"), Path("b.wav")]


def test_a_head_at_rest_stays_and_one_that_moves_moves_with_the_clock():
    head = Head(3.0)
    assert head.place(100.0) == 3.0 and not head.moves
    head = head.go(3.0, 100.0, waits=False)
    assert head.moves and head.place(101.5) == 4.5
    assert head.place(99.0) == 3.0, "a clock that jumps back moves nothing"
    assert head.rest(102.0) == Head(5.0) and head.put(-4.0) == Head(0.0)


def test_a_head_waits_for_the_sound_to_begin():
    head = Head().go(2.0, 100.0, waits=True)
    assert head.moves and head.place(105.0) == 2.0


def heard(orders, playing, until, **more):
    told = []
    thread = threading.Thread(
        target=deck.hear,
        args=(PATHS, orders, lambda *place: told.append(place), lambda: until.is_set()),
        kwargs={"start": lambda paths: playing},
    )
    thread.start()
    return thread, told


def wait(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_orders_switch_seek_play_and_pause_and_places_are_told():
    orders, until, playing = Orders(), threading.Event(), Playing(PATHS)
    thread, told = heard(orders, playing, until)
    orders.put(Order(1, PATHS[1], 4.0))
    wait(lambda: (1, 4.0) in told)
    assert playing.done == [("switch", 1)] and playing.playing
    orders.put(Order(2))
    wait(lambda: not playing.playing)
    count = len(told)
    time.sleep(2.5 * deck.POLL_S)
    assert len(told) == count, "nothing is told while it is paused"
    until.set()
    thread.join(20)
    assert playing.closed


def test_of_orders_that_pile_up_only_the_last_counts():
    orders, until, playing = Orders(), threading.Event(), Playing(PATHS)
    for number, path in enumerate([*PATHS * 5, PATHS[0]], start=1):
        orders.put(Order(number, path, 1.0))
    thread, told = heard(orders, playing, until)
    wait(lambda: (11, 1.0) in told)
    until.set()
    thread.join(20)
    assert playing.done == [("switch", 0)]


def test_behind_the_end_of_a_shorter_file_nothing_is_played():
    orders, until, playing = Orders(), threading.Event(), Playing(PATHS, length_s=2.0)
    orders.put(Order(1, PATHS[0], 5.0))
    thread, _ = heard(orders, playing, until)
    wait(lambda: playing.done)
    until.set()
    thread.join(20)
    assert not playing.playing


def test_a_machine_without_sound_says_why():
    outcome = deck.hear(PATHS, Orders(), print, lambda: False, start=lambda paths: Playing(paths, outcome=Outcome()))
    assert outcome is not None and outcome.end == "silent"


def test_the_real_player_is_what_is_opened_by_default(tmp_path):
    from gatedtui.errors import BadSource

    with pytest.raises(BadSource, match=r"missing\.wav"):
        deck.hear([tmp_path / "missing.wav"], Orders(), print, lambda: True)
