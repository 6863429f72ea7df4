"""Puts what the stages of tests/gpu/run.sh left into the one object of docs/benchmarks, on standard output.

usage: merge.py FOLDER COMMIT

Every *.json of FOLDER that a stage wrote is a part, and all must be of COMMIT. Where several processes measured a
problem, times are the medians of theirs, us_min and us_max the least and the greatest of their medians.
"""

import json
import sys
from pathlib import Path
from statistics import median

MACHINE = ["gpu", "cuda", "cublas", "version", "clocks"]  # what the parts must agree in


def read_parts(folder, commit):
    """The stages' records by name."""
    parts = {}
    for path in sorted(Path(folder).glob("*.json")):
        part = json.loads(path.read_text() or "null")
        if not isinstance(part, dict) or "stage" not in part:
            continue
        if part["commit"] != commit:
            sys.exit(f"merge.py: {path.name} is of commit {part['commit']}, expected {commit}")
        parts[part["stage"]] = part
    return parts


def merge_result(runs):
    """One problem's result from those of several processes. The best read ceiling counts: a weaker one is none."""
    failed = [run for run in runs if "failed" in run]
    if failed:
        return failed[0]
    best = min(runs, key=lambda run: run["limit_us"])
    compared = [run["cublas_us"] for run in runs if run["cublas_us"] is not None]
    times = [run["us"] for run in runs]
    merged = dict(runs[0])
    merged["us"] = median(times)
    if len(runs) > 1:
        merged["us_min"] = min(times)
        merged["us_max"] = max(times)
    merged["cublas_us"] = median(compared) if compared else None
    dependent = [run["dependent_launch_us"] for run in runs if "dependent_launch_us" in run]
    if dependent:
        merged["dependent_launch_us"] = median(dependent)
    for key in ["read_us", "read_kernel", "read_measured_us", "limit_us"]:
        merged[key] = best[key]
    merged["share"] = merged["limit_us"] / merged["us"]
    merged["max_relative_error"] = max(run["max_relative_error"] for run in runs)
    merged["sm_mhz"] = median(run["sm_mhz"] for run in runs)
    merged["processes"] = len(runs)
    return merged


def merge_benchmarks(benchmarks):
    """Machine and results of all parts and processes, problems in the order in which they were first seen."""
    machine = {key: benchmarks[0][key] for key in MACHINE}
    runs = {}
    for benchmark in benchmarks:
        for key in MACHINE:
            if benchmark[key] != machine[key]:
                sys.exit(f"merge.py: {key} is {benchmark[key]}, expected {machine[key]} as in the first part")
        for result in benchmark["results"]:
            runs.setdefault(result["problem"], []).append(result)
    merged = dict(machine)
    merged["driver"] = ", ".join(sorted({benchmark["driver"] for benchmark in benchmarks}))
    merged["date"] = max(benchmark["date"] for benchmark in benchmarks)
    merged["results"] = [merge_result(found) for found in runs.values()]
    return merged


def add_invariant(results, invariant):
    """Beside each result its time where batches are invariant, from the stage that measured that."""
    times = {run["problem"]: run["us"] for run in invariant["results"] if "us" in run}
    for result in results:
        if "us" in result and result["problem"] in times:
            result["batch_invariant_us"] = times[result["problem"]]


def merge(parts, commit):
    document = {"commit": commit}
    benchmarks = [parts[name]["result"] for name in sorted(parts) if name.startswith(("bench-", "roofline"))]
    if benchmarks:
        document |= merge_benchmarks(benchmarks)
        if "invariant" in parts:
            add_invariant(document["results"], parts["invariant"]["result"])
    for name in ["test", "cpu"]:
        if name in parts:
            document[name] = parts[name]["result"]
    document["stages"] = [{key: part[key] for key in ["stage", "status", "seconds", "tree"]} for part in parts.values()]
    return document


def main():
    folder, commit = sys.argv[1:]
    parts = read_parts(folder, commit)
    if not parts:
        sys.exit(f"merge.py: {folder} has no parts, expected the JSON files that stages leave")
    json.dump(merge(parts, commit), sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
