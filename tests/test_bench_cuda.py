"""The GPU's benchmark, as far as it can be shown without one: its sides are right, and it says when there is none."""

import warnings

import pytest
import torch

from gatedtui import bench_cuda
from gatedtui.bench import Row, Workload
from gatedtui.cli.main import run as gated
from gatedtui.kernels.place import Measured

CPU = torch.device("cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_without_a_gpu_it_is_refused_in_one_sentence(capsys: pytest.CaptureFixture[str]):
    assert gated(["bench", "--device", "cuda", "--quick"]) == 4
    said = capsys.readouterr()
    assert not said.out
    assert "no CUDA device" in said.err and "Traceback" not in said.err


def test_another_device_is_unknown(capsys: pytest.CaptureFixture[str]):
    assert gated(["bench", "--device", "tpu"]) == 2
    assert "'tpu'" in capsys.readouterr().err


@pytest.mark.filterwarnings("error")
def test_every_side_makes_its_step_and_gives_its_row(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bench_cuda, "STACKED", 2)
    for work in (Workload("music", 3, 2, 1.0), Workload("speech", 2, 2, 1.0)):
        rows = list(bench_cuda.cell("gru", work, CPU, 0.0))
        assert {row.backend for row in rows} >= {"bptt", "graph", "stacked x2", "cudnn"}
        cudnn = next(row.ms for row in rows if row.backend == "cudnn")
        for row in rows:
            assert (row.table, row.workload) == ("cuda", work.name)
            assert row.frames_per_s == pytest.approx(work.frames * 1e3 / row.ms)
            assert row.speedup_vs_nn == pytest.approx(cudnn / row.ms)


def test_a_side_without_room_or_without_its_graph_has_no_row_and_it_is_told(monkeypatch: pytest.MonkeyPatch):
    def no_room() -> None:
        raise torch.OutOfMemoryError("out of memory")

    def no_graph() -> None:
        warnings.warn("no CUDA graph could be made, for a test", stacklevel=1)

    made = {"graph": no_graph, "stacked x30": no_room, "cudnn": no_room, "native": lambda: None}
    monkeypatch.setattr(bench_cuda, "sides", lambda *_: made)
    with pytest.warns(UserWarning, match="left out") as told:
        (row,) = bench_cuda.cell("gru", Workload("music", 3, 2, 1.0), CPU, 0.0)
    assert [str(one.message).partition("'")[2].partition("'")[0] for one in told] == ["graph", "stacked x30", "cudnn"]
    assert row.backend == "native" and row.speedup_vs_nn is None


def test_gradients_are_checked_against_float64():
    found = bench_cuda.checked(CPU)
    assert {"gru bptt", "lstm bptt", "tanh bptt"} <= set(found)
    assert all(0 < far < 1e-4 for far in found.values())


def test_the_table_takes_what_a_single_run_can_have_and_only_where_the_cpu_was_measured_too():
    def row(unit: str, backend: str, speed: float) -> Row:
        return Row("cuda", unit, "music T200 B16", 1, backend, 1.0, speed)

    rows = [row("gru", "bptt", 5e6), row("gru", "graph", 2e6), row("gru", "triton stacked x30", 9e6)]
    rows += [row("gru", "native", 1e6), row("tanh", "graph", 2e6)]
    assert bench_cuda.measured(rows, "A GPU", "then") == [Measured("A GPU", "gru", 46, 16, 2e6, 1e6, "then")]
