import math
import tracemalloc

from gatedtui.events import Epoch
from gatedtui.runs.epochs import Epochs


def epoch(number: int, valid: float = 9.0) -> Epoch:
    return Epoch(epoch=number, updates=30 * number, frames=1 << 40, valid_nll=valid, lr=1e-3, elapsed_s=0.5 * number)


def test_epochs_come_back_as_they_were_but_for_the_time_of_day():
    kept = Epochs([epoch(1), epoch(2, math.nan), Epoch(epoch=3, time="2026-11-20T18:00:00.000Z")])
    assert [repr(one) for one in kept] == [repr(one) for one in (epoch(1), epoch(2, math.nan), Epoch(epoch=3))]
    assert len(kept) == 3 and kept[-1].epoch == 3 and repr(kept[:1]) == repr([epoch(1)])
    assert list(kept.column("updates")) == [30.0, 60.0, 0.0] and type(kept[0].updates) is int


def test_a_value_stays_as_it_is_whatever_follows():
    one = Epochs([epoch(1), epoch(2)])
    two = one.followed_by(epoch(3, 8.0))
    other = one.followed_by(epoch(3, 7.0))
    again = two.before(2).followed_by(epoch(2, 6.0))
    assert [len(value) for value in (one, two, other, again, two.before(1), two.before(9))] == [2, 3, 3, 2, 0, 3]
    assert two[2].valid_nll == 8.0 and other[2].valid_nll == 7.0 and again[1].valid_nll == 6.0
    assert one[1].valid_nll == two[1].valid_nll == 9.0 and list(one.column("epoch")) == [1.0, 2.0]


def test_an_epoch_takes_little_memory():
    many = 20_000
    tracemalloc.start()
    kept = Epochs()
    for number in range(many):
        kept = kept.followed_by(epoch(number + 1))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(kept) == many and held / many < 110


def test_too_many_epochs_are_every_second_fourth_and_so_on_with_the_best_and_the_last():
    few = Epochs([epoch(number + 1) for number in range(8)])
    assert few.thinned(8, best=3) is few and not Epochs().thinned(8, best=0)
    grown = few
    for number in range(9, 102):
        grown = grown.followed_by(epoch(number)).thinned(8, best=37)
    assert [one.epoch for one in grown] == [16, 32, 37, 48, 64, 80, 96, 101]
    assert repr(grown[2]) == repr(epoch(37)) and [one.epoch for one in few] == list(range(1, 9))
    assert [grown.place(number) for number in (16, 37, 101, 36, 102)] == [0, 2, 7, None, None]
    assert [one.epoch for one in grown.followed_by(epoch(102)).thinned(8, best=102)] == [16, 32, 48, 64, 80, 96, 102]
