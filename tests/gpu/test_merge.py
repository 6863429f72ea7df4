"""Merging the parts of a GPU run."""

import json

import merge
import pytest


def result(problem, us, **more):
    return {
        "problem": problem,
        "kernel": "some_kernel",
        "us": us,
        "us_min": us - 1,
        "us_max": us + 1,
        "cublas_us": 2 * us,
        "read_us": 4.0,
        "read_kernel": "loads",
        "read_measured_us": 4.0,
        "limit_us": 5.0,
        "share": 5.0 / us,
        "max_relative_error": 1e-4,
        "sm_mhz": 1980,
        **more,
    }


def bench(results, **more):
    machine = {"gpu": "G", "driver": "D", "cuda": "C", "cublas": "B", "version": "0.2.0", "clocks": {}}
    return machine | {"commit": "unknown", "date": "2026-11-23T00:00:00Z", "results": results} | more


def write_part(folder, stage, content, commit="abc"):
    part = {"stage": stage, "commit": commit, "tree": "t", "status": 0, "seconds": 3, "result": content}
    (folder / f"{stage}.json").write_text(json.dumps(part))


def merged(folder):
    return merge.merge(merge.read_parts(folder, "abc"), "abc")


def test_times_are_medians_over_processes_and_ceilings_the_best(tmp_path):
    for process, us in enumerate((10.0, 30.0, 12.0), 1):
        read = {"read_us": us / 4, "limit_us": us / 2, "read_measured_us": us / 4, "max_relative_error": us * 1e-5}
        write_part(tmp_path, f"bench-full-1-of-1-process-{process}", bench([result("p", us, **read)]))
    document = merged(tmp_path)
    assert document["commit"] == "abc"
    assert document["gpu"] == "G"
    (found,) = document["results"]
    assert found["us"] == 12.0
    assert (found["us_min"], found["us_max"]) == (10.0, 30.0)
    assert found["cublas_us"] == 24.0
    assert (found["read_us"], found["limit_us"]) == (2.5, 5.0)
    assert found["share"] == pytest.approx(5.0 / 12.0)
    assert found["max_relative_error"] == pytest.approx(3e-4)
    assert found["processes"] == 3


def test_one_process_keeps_its_own_spread(tmp_path):
    write_part(tmp_path, "bench-full-1-of-1-process-1", bench([result("p", 10.0)]))
    (found,) = merged(tmp_path)["results"]
    assert (found["us_min"], found["us_max"], found["processes"]) == (9.0, 11.0, 1)


def test_parts_are_joined_and_other_stages_kept(tmp_path):
    write_part(tmp_path, "bench-full-1-of-2-process-1", bench([result("p", 10.0)]))
    write_part(
        tmp_path, "bench-full-2-of-2-process-1", bench([result("q", 20.0)], date="2026-11-24T00:00:00Z", driver="E")
    )
    write_part(tmp_path, "test", {"passed": 5, "failed": 0, "skipped": 0})
    document = merged(tmp_path)
    assert [entry["problem"] for entry in document["results"]] == ["p", "q"]
    assert document["date"] == "2026-11-24T00:00:00Z"
    assert document["driver"] == "D, E"
    assert document["test"]["passed"] == 5
    assert len(document["stages"]) == 3


def test_times_of_invariant_batches_stand_beside_the_others(tmp_path):
    write_part(tmp_path, "bench-full-1-of-1-process-1", bench([result("p", 10.0), result("q", 20.0)]))
    write_part(tmp_path, "invariant", bench([result("p", 11.0), {"problem": "q", "failed": "why"}]))
    found = merged(tmp_path)["results"]
    assert [entry.get("batch_invariant_us") for entry in found] == [11.0, None]
    assert [entry["us"] for entry in found] == [10.0, 20.0]


def test_a_failure_in_any_process_shows(tmp_path):
    write_part(tmp_path, "bench-full-1-of-1-process-1", bench([result("p", 10.0)]))
    write_part(tmp_path, "bench-full-1-of-1-process-2", bench([{"problem": "p", "failed": "why"}]))
    assert merged(tmp_path)["results"] == [{"problem": "p", "failed": "why"}]


def test_other_commits_and_other_machines_are_refused(tmp_path):
    write_part(tmp_path, "bench-full-1-of-1-process-1", bench([result("p", 10.0)]))
    write_part(tmp_path, "bench-full-1-of-1-process-2", bench([result("p", 10.0)], gpu="H"))
    with pytest.raises(SystemExit, match="gpu is H, expected G"):
        merged(tmp_path)
    write_part(tmp_path, "test", None, commit="def")
    with pytest.raises(SystemExit, match="of commit def, expected abc"):
        merged(tmp_path)
