"""The device of `--device auto`: the CPU, unless a measured figure says otherwise."""

import pytest
import torch

from gatedtui.errors import DeviceError
from gatedtui.kernels import place as places
from gatedtui.kernels.place import Measured, by_table, place

TABLE = (
    Measured("A GPU", "gru", 46, 16, 3e6, 1e6, "2030-01-01"),
    Measured("A GPU", "gru", 46, 1, 1e5, 1e6, "2030-01-01"),
)


def test_a_faster_gpu_is_taken_with_the_figure_it_rests_on():
    for rows in (16, 64):
        found = by_table(TABLE, "A GPU", "gru", 46, rows)
        assert found.device.type == "cuda"
        assert "3,000,000 frames/s against 1,000,000" in found.why and "2030-01-01" in found.why


@pytest.mark.parametrize("rows", [1, 15])
def test_a_slower_one_is_not_and_the_figure_is_told_too(rows: int):
    found = by_table(TABLE, "A GPU", "gru", 46, rows)
    assert found.device.type == "cpu"
    assert "100,000 frames/s against 1,000,000" in found.why


@pytest.mark.parametrize("run", [("Another GPU", "gru", 46, 16), ("A GPU", "lstm", 46, 16), ("A GPU", "gru", 227, 16)])
def test_what_was_not_measured_stays_on_the_cpu_and_the_reason_says_how_to_ask(run):
    found = by_table(TABLE, *run)
    assert found.device.type == "cpu"
    assert "--device cuda" in found.why and run[0] in found.why


def test_with_no_gpu_auto_is_the_cpu_without_a_word(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert place("auto", "gru", 46, 16) == places.Place(torch.device("cpu"))


def test_with_a_gpu_nobody_measured_auto_is_the_cpu_and_says_why(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "A new GPU")
    found = place("auto", "gru", 46, 16)
    assert found.device.type == "cpu" and "A new GPU" in found.why
    assert place("cpu") == places.Place(torch.device("cpu"))
    assert place("cuda").device.type == "cuda"


def test_cuda_without_a_gpu_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match="'--device cuda'") as refused:
        place("cuda")
    assert refused.value.exit_code == 4
