"""The choice of a kernel: once, with its reason, and never silently another."""

import sys

import pytest
import torch

from gatedtui.errors import BadArgument, DeviceError
from gatedtui.kernels import KERNELS, choose, present, to_go_on

choosing = sys.modules["gatedtui.kernels.choose"]  # the package has the function under the module's name


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_auto_takes_the_best_there_is_and_says_why(dtype):
    choice = choose(torch.device("cpu"), dtype)
    assert choice.backend == present()[0]
    assert "cpu" in choice.why


@pytest.mark.parametrize("name", present())
def test_a_present_kernel_is_taken_when_asked_for(name):
    choice = choose("cpu", torch.float32, name)
    assert choice.backend == name
    assert "asked for" in choice.why


@pytest.mark.parametrize("name", sorted(set(KERNELS) - set(present())))
def test_an_absent_kernel_is_refused_with_what_there_is(name):
    with pytest.raises(DeviceError, match=f"'{name}'") as refused:
        choose("cpu", torch.float32, name)
    assert refused.value.exit_code == 4
    assert all(name in refused.value.hint for name in present())


def test_an_unknown_kernel_is_a_bad_argument_with_the_nearest_name():
    with pytest.raises(BadArgument, match="'bppt'") as refused:
        choose("cpu", torch.float32, "bppt")
    assert "'bptt'" in refused.value.hint


def test_half_precision_is_refused():
    with pytest.raises(DeviceError, match="'float16'"):
        choose("cpu", torch.float16)


def test_on_a_gpu_auto_is_the_kernel_that_needs_nothing_else_and_the_others_are_there_for_asking():
    there = present("cuda")
    assert there[0] == choose("cuda", torch.float32).backend == "bptt"
    assert "native" not in there
    with pytest.raises(DeviceError, match="'native' is not for the device 'cuda'"):
        choose("cuda", torch.float32, "native")


def test_the_kernel_by_hand_quotes_figures_of_a_cpu_on_a_cpu_alone():
    assert "on one CPU thread" in choose("cpu", torch.float32, "bptt").why
    assert "CPU" not in choose("cuda", torch.float32).why


def test_a_saved_run_goes_on_with_its_own_kernel_where_that_is_here_and_none_is_named():
    assert to_go_on("auto", "bptt", "cpu") == "bptt"
    assert to_go_on("auto", "native", "cuda") == "auto"
    assert to_go_on("auto", None, "cpu") == "auto"
    assert to_go_on("reference", "bptt", "cpu") == "reference"


@pytest.mark.parametrize(("installed", "interpreted", "found"), [(0, 0, ""), (1, 0, "compiled"), (1, 1, "interpreted")])
def test_what_there_is_of_triton(installed, interpreted, found, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: object() if installed else None)
    monkeypatch.setenv("TRITON_INTERPRET", str(interpreted))
    assert choosing.triton.__wrapped__() == found


def test_without_triton_its_kernels_are_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(choosing, "triton", lambda: "")
    assert "cuda" not in present("cuda")
    with pytest.raises(DeviceError, match="'cuda' is not in this installation") as refused:
        choose("cuda", torch.float32, "cuda")
    assert "pip install 'gatedtui[gpu]'" in refused.value.hint


def test_with_triton_they_are_there_for_a_gpu_and_not_for_the_cpu(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(choosing, "triton", lambda: "compiled")
    assert present("cuda") == ("bptt", "cuda", "reference")
    assert choose("cuda", torch.float32, "cuda").why == "Triton kernels (asked for)"
    with pytest.raises(DeviceError, match="'cuda' is not for the device 'cpu'"):
        choose("cpu", torch.float32, "cuda")
