"""The comparison with other kernels: what counts as behind."""

import bars
import pytest
import sample
from results import DENSE, Results


def peers_file(path, factor=1.0, kernels=("marlin_family", "sparse_marlin")):
    lines = ["n,k,m,kernel,us,speedup_over_cublas_fp16,share_of_w4a16_limit"]
    lines += [
        f"{n},{k},{m},{kernel},1.0,{2.0 * factor},0.5"
        for kernel in kernels
        for n, k in ((4096, 4096), (8192, 8192))
        for m in sample.BATCHES
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def run(monkeypatch, results, peers):
    monkeypatch.setattr("sys.argv", ["bars.py", str(results), str(peers)])
    with pytest.raises(SystemExit) as stop:
        bars.main()
    return stop.value.code


def test_equal_is_not_behind(tmp_path, monkeypatch, capsys):
    results = sample.write(tmp_path / "h200.json", sample.whole_grid())
    assert run(monkeypatch, results, peers_file(tmp_path / "peers.csv")) == 0
    text = capsys.readouterr().out
    assert "m 1-16      1.000 of theirs, 2.000 of cuBLAS" in text
    assert text.endswith("0 behind or missing\n")


def test_a_band_behind_counts_though_no_cell_does(tmp_path, monkeypatch, capsys):
    results = sample.write(tmp_path / "h200.json", sample.whole_grid())
    assert run(monkeypatch, results, peers_file(tmp_path / "peers.csv", 1.02)) == 1
    text = capsys.readouterr().out
    assert "behind:" not in text
    assert text.count("BEHIND") == 8


def test_a_single_cell_behind_is_named(tmp_path, monkeypatch, capsys):
    grid = sample.whole_grid()
    grid[3] = sample.entry(DENSE, 8, 4096, 4096, 54.0)
    results = sample.write(tmp_path / "h200.json", grid)
    assert run(monkeypatch, results, peers_file(tmp_path / "peers.csv", 0.99)) == 1
    assert "behind: 4096 x 4096 m 8: 0.935 of theirs, 54.00 us" in capsys.readouterr().out


def test_long_cells_may_vary_more():
    assert bars.tolerance(999.0) == 0.05
    assert bars.tolerance(1001.0) == 0.10


def test_missing_results_count(tmp_path, monkeypatch, capsys):
    grid = sample.whole_grid()
    grid[0] = {"problem": grid[0]["problem"], "failed": "MARLIN_NOT_SUPPORTED: none"}
    results = sample.write(tmp_path / "h200.json", grid)
    assert run(monkeypatch, results, peers_file(tmp_path / "peers.csv")) == 1
    text = capsys.readouterr().out
    assert "no result: gemm f16 s4 g128 m1 n4096 k4096: MARLIN_NOT_SUPPORTED: none" in text
    assert text.endswith("1 behind or missing\n")


def test_act_order_and_bias_are_held_against_the_problem_without(tmp_path):
    grid = [*sample.whole_grid(), sample.entry(f"{DENSE} perm", 16, 4096, 4096, 56.0)]
    grid.append(sample.entry(f"{DENSE} bias", 16, 4096, 4096, 50.5))
    results = Results(sample.write(tmp_path / "h200.json", grid))
    assert bars.check_slowdowns(results) == 1


def test_less_than_the_least_of_cublas_is_a_miss(tmp_path, capsys):
    grid = [sample.entry(DENSE, m, 4096, 4096, 200.0) for m in (256, 4096)]
    results = Results(sample.write(tmp_path / "h200.json", grid))
    assert bars.check_kind(results, DENSE, {((4096, 4096), 256): 0.4, ((4096, 4096), 4096): 0.4}) == 1
    assert "expected at least 0.60" in capsys.readouterr().out
