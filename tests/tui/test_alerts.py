import dataclasses
import math
from pathlib import Path

from gatedtui.tui import alerts
from gatedtui.tui.alerts import LOW_DISK, Disk, Spikes
from gatedtui.tui.snapshot import Snapshot

from .conftest import epochs, falling


def fed(values):
    spikes = Spikes()
    for epoch in epochs([value + 0.3 for value in values]):  # `epochs` trains 0.3 below
        spikes.add(epoch)
    return spikes


def at_work(**changes):
    done = epochs([9.0, 8.9])
    run = Snapshot(Path("runs/[b]run"), word="training", epoch=done[-1], heard=1000.0)
    return dataclasses.replace(run, **changes)


def test_a_curve_that_falls_has_no_spike():
    assert fed(falling(300)).last is None


def test_noise_is_no_spike():
    assert fed([3.0 + 0.02 * math.sin(7 * i) for i in range(100)]).last is None


def test_a_jump_is_a_spike_and_says_where():
    found = fed([*falling(40), 25.0, 8.5]).last
    assert found is not None and found.epoch == 41


def test_nan_is_no_spike_and_hides_none():
    found = fed([*falling(20), math.nan, math.inf, 40.0]).last
    assert found is not None and found.epoch == 23


def test_nothing_is_unusual_at_the_start():
    assert fed([9.0, 9.0, 90.0]).last is None


def test_a_silent_worker_is_stalled_by_the_monotonic_clock():
    assert alerts.find([at_work()], None, 1000.0 + 59) == []
    [alert] = alerts.find([at_work()], None, 1000.0 + 61)
    assert (alert.word, alert.text) == ("stalled", "[b]run stalled: silent for 1:01")
    assert alerts.find([at_work(word="finished")], None, 9000.0) == []


def test_a_spike_is_told_for_a_minute_of_training():
    spike = epochs([9.0])[0]
    [alert] = alerts.find([at_work(spike=spike)], None, 1001.0)
    assert alert.word == "loss spike" and "in epoch 1" in alert.text
    later = dataclasses.replace(spike, epoch=500, elapsed_s=100.0)
    assert alerts.find([at_work(spike=spike, epoch=later)], None, 1001.0) == []


def test_a_disk_that_fills_is_told_first():
    assert alerts.find([], Disk(LOW_DISK), 0.0) == []
    found = alerts.find([at_work()], Disk(500 << 20), 1090.0)
    assert [alert.word for alert in found] == ["disk nearly full", "stalled"]
    assert "500M free" in found[0].text
