"""The tables of docs/performance.md."""

import pytest
import sample
import table
from results import DENSE, SPARSE, Results, geometric_mean, parse_problem


def test_problem_texts_are_taken_apart():
    assert parse_problem("gemm f16 s4 g128 m16 n4096 k8192") == (DENSE, 16, 4096, 8192)
    assert parse_problem("gemm bf16 s4 gcol m1 n64 k128 bias perm") == ("gemm bf16 s4 gcol bias perm", 1, 64, 128)


def test_geometric_mean():
    assert geometric_mean([0.5, 2.0]) == pytest.approx(1.0)
    assert geometric_mean([]) is None


def test_grids_have_a_row_a_shape_and_a_mean(tmp_path):
    grid = sample.whole_grid()
    grid[0] = sample.entry(DENSE, 1, 4096, 4096, 25.0)
    results = Results(sample.write(tmp_path / "h200.json", grid))
    lines = table.grid_table(results, DENSE, lambda r: r.speedup, "{:.2f}", True).splitlines()
    assert lines[0].startswith("| n x k | m = 1 | m = 2 |")
    assert lines[2].startswith("| 4096 x 4096 | 4.00 | 2.00 |")
    assert lines[3].startswith("| 8192 x 8192 | 2.00 | 2.00 |")
    assert lines[4].startswith("| geometric mean | 2.83 | 2.00 |")
    assert len(lines) == 5


def test_a_cell_without_a_result_is_a_dash(tmp_path):
    grid = sample.whole_grid()
    grid[1] = {"problem": grid[1]["problem"], "failed": "why"}
    results = Results(sample.write(tmp_path / "h200.json", grid))
    lines = table.grid_table(results, DENSE, lambda r: r.speedup, "{:.2f}", False).splitlines()
    assert lines[2].startswith("| 4096 x 4096 | 2.00 | - | 2.00 |")
    assert "Without a result: 1 problems" in table.describe(results)


def test_invariant_batches_are_ratios_with_their_mean(tmp_path):
    grid = sample.whole_grid()
    for cell in grid:
        if cell["problem"].startswith(DENSE):
            cell["batch_invariant_us"] = cell["us"] * 1.25
    text = "\n\n".join(table.sections(Results(sample.write(tmp_path / "h200.json", grid))))
    assert text.count("MARLIN_MATH_BATCH_INVARIANT") == 1
    invariant = text.split("MARLIN_MATH_BATCH_INVARIANT")[1]
    assert invariant.count("1.25") == 3 * len(sample.BATCHES)
    assert "the SMs' clock in MHz" in text


def test_dependent_launches_stand_beside_the_others_where_they_were_measured(tmp_path):
    grid = sample.whole_grid()
    grid[0] = sample.entry(DENSE, 1, 4096, 4096, 25.0) | {"dependent_launch_us": 20.25}
    results = Results(sample.write(tmp_path / "h200.json", grid))
    assert table.grid_table(results, DENSE, table.dependent_launches, "{}", False).splitlines() == [
        "| n x k | m = 1 |",
        "| --- | --- |",
        "| 4096 x 4096 | 25.0, 20.2 |",
        "| 8192 x 8192 | - |",
    ]


def test_kinds_are_shown_against_the_usual_weights(tmp_path):
    grid = [*sample.whole_grid(), sample.entry(f"{DENSE} bias", 16, 4096, 4096, 55.0)]
    grid.append(sample.entry("sp_gemm bf16 s4 g128", 16, 4096, 4096, 45.0))
    results = Results(sample.write(tmp_path / "h200.json", grid))
    assert table.kinds_table(results, DENSE).splitlines() == [
        "| problem | 4096 x 4096, m = 16 |",
        "| --- | --- |",
        f"| {DENSE} bias | 1.10 |",
    ]
    assert "| sp_gemm bf16 s4 g128 | 0.90 |" in table.kinds_table(results, SPARSE)


def test_pages_are_changed_between_the_marks_alone(tmp_path, monkeypatch):
    results = sample.write(tmp_path / "h200.json", sample.whole_grid())
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- h200 -->\nold\n<!-- end of h200 -->\nafter\n")
    monkeypatch.setattr("sys.argv", ["table.py", str(results), str(page)])
    table.main()
    once = page.read_text()
    assert once.startswith("before\n<!-- h200 -->\n")
    assert once.endswith("<!-- end of h200 -->\nafter\n")
    assert "old" not in once
    table.main()
    assert page.read_text() == once


def test_a_page_without_marks_is_refused():
    with pytest.raises(SystemExit, match="expected one of each"):
        table.replace_between("nothing", "h200", "text")
