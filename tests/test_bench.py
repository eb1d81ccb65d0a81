"""The benchmark: what is measured against what, in which order, and the rows it gives. No figure is asserted."""

import json
import math

import pytest
import torch

from gatedtui import bench, kernels, rivals
from gatedtui.bench import Row, Workload
from gatedtui.cli.main import run as gated
from gatedtui.units import UNITS

KEYS = ["table", "unit", "workload", "threads", "backend", "ms", "frames_per_s", "speedup_vs_nn", "speedup_vs_naive"]
KEYS.append("gemm_fraction")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workloads of a few frames, and no time to spare."""
    monkeypatch.setattr(bench, "WORKLOADS", (Workload("music", 4, 3, 1.0), Workload("speech", 3, 2, 1.0)))
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")  # the command sets it: undone with this
    monkeypatch.setattr(bench, "BUDGET_S", 0.0)
    monkeypatch.setattr(bench, "QUICK_BUDGET_S", 0.0)
    monkeypatch.setattr(bench, "ROUND_S", 1e-6)
    monkeypatch.setattr(bench, "UNITS", ("lstm",))
    monkeypatch.setattr(bench, "REAL_SETS", ())
    monkeypatch.setattr(bench, "busy", lambda: iter(()))


def test_rounds_run_every_side_in_turn():
    order: list[str] = []
    taken = bench.measure({name: lambda name=name: order.append(name) for name in "abc"}, 0.01)
    assert set(taken) == set("abc") and all(ms > 0 for ms in taken.values())
    rounds = "".join(order)[6:]  # after each side's warming up
    firsts = [name for name, before in zip(rounds, "." + rounds, strict=False) if name != before]
    assert firsts == list("abc") * (len(firsts) // 3) and len(firsts) >= 6


def test_a_cell_without_time_left_is_measured_all_the_same():
    assert bench.measure({"a": lambda: None}, -1.0)["a"] > 0


def test_every_table_is_there_and_speed_ups_are_ratios_of_times(small: None):
    before = torch.get_num_threads()
    rows = list(bench.run(threads=(1,)))
    assert torch.get_num_threads() == before
    native = kernels.present()[0] == "native"
    expected = {"gemm", "step", "unit", "sample"} | ({"stages"} if native else set())
    assert {row.table for row in rows} >= expected
    for table in ("step", "unit"):
        cells: dict[tuple, dict[str, Row]] = {}
        for row in rows:
            if row.table == table:
                cells.setdefault((row.unit, row.workload, row.threads), {})[row.backend] = row
        assert len(cells) == 2
        for sides in cells.values():
            assert {"nn", "naive", "bptt"} <= set(sides) and ("native" in sides) == native
            for row in sides.values():
                assert row.speedup_vs_nn == pytest.approx(sides["nn"].ms / row.ms)
                assert row.speedup_vs_naive == pytest.approx(sides["naive"].ms / row.ms)
                assert row.frames_per_s and math.isfinite(row.frames_per_s)
                assert (row.gemm_fraction is not None) == (table == "step")


@pytest.mark.skipif(kernels.present()[0] != "native", reason="no compiled kernels")
def test_two_threads_are_two_runs_side_by_side_for_the_compiled_kernels(small: None):
    """torch itself is left with one here: its own pool of threads is slow on a busy machine."""
    cell = bench.step_cell("lstm", bench.WORKLOADS[0], 2, bench.gemm_sides(), 0.0, quick=True)
    sides = {row.backend: row for row in cell}
    assert set(sides) == {"native", "native pieces", "native x2", "nn", "naive"}
    assert sides["native x2"].frames_per_s == pytest.approx(12e3 / sides["native x2"].ms)


def test_json_is_a_list_of_rows_with_the_stated_keys(small: None, capsys: pytest.CaptureFixture[str]):
    assert gated(["bench", "--quick", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows and all(list(row) == KEYS for row in rows)
    assert {row["threads"] for row in rows} == {1}


def test_people_get_tables_with_bars_and_the_kernel_s_reason(small: None, capsys: pytest.CaptureFixture[str]):
    assert gated(["bench", "--quick"]) == 0
    shown = capsys.readouterr()
    assert "other equations" in shown.out and "█" in shown.out and "vs nn" in shown.out
    assert f"kernel {kernels.present()[0]}: " in shown.err


def test_an_unknown_build_is_a_bad_argument(capsys: pytest.CaptureFixture[str]):
    assert gated(["bench", "--build", "avx3"]) == 2
    assert "'avx3'" in capsys.readouterr().err


@pytest.mark.parametrize("name", UNITS)
def test_the_naive_cells_are_the_paper_s_equations(name):
    torch.manual_seed(0)
    naive, unit = rivals.NaiveCells(name, 4, 6), UNITS[name](4, 6)
    with torch.no_grad():
        unit.W.copy_(torch.cat([w.weight for w in naive.w]))
        unit.b.copy_(torch.cat([w.bias for w in naive.w]))
        unit.U.copy_(torch.cat([u.weight for u in naive.u]))
        if name == "lstm":
            naive.V.normal_()
            unit.V.copy_(naive.V)
    x = torch.randn(7, 3, 4)
    torch.testing.assert_close(naive(x)[0], unit(x)[0])


def test_the_rivals_losses_are_the_heads():
    from gatedtui.heads.bernoulli import Bernoulli
    from gatedtui.heads.mixture import MixtureOfGaussians

    torch.manual_seed(0)
    for head, target, loss in (
        (Bernoulli(5, 88), (torch.rand(9, 88) < 0.1).float(), rivals.bernoulli_loss),
        (MixtureOfGaussians(5), torch.randn(9, 10), rivals.mixture_loss),
    ):
        h = torch.randn(9, 5)
        numbers = torch.nn.functional.linear(h, head.weight, head.bias)
        torch.testing.assert_close(loss(numbers, target), head.nll(h, target).mean())


@pytest.mark.parametrize("rival", ["nn", "naive"])
def test_a_rival_s_step_learns(rival):
    torch.manual_seed(0)
    x, target = Workload("music", 6, 3, 1.0).tensors()
    step = rivals.whole_step(rival, "gru", 8, x, target, music=True)
    losses = [float(step()) for _ in range(100)]
    assert sum(losses[-10:]) < 0.9 * sum(losses[:10])


def test_useful_operations_count_each_product_once():
    work = Workload("speech", 48, 64, 1.0)
    per_frame = bench.operations("gru", work, 227) / work.frames
    assert per_frame == 2 * (2 * 3 * 227 * 20 + 3 * 3 * 227**2 + 3 * 227 * 420)
