"""Compares results with other kernels measured on the same GPU, and says where they are behind.

usage: bars.py RESULTS.json PEERS.csv

PEERS has the columns n, k, m, kernel, speedup_over_cublas_fp16. Dense results are held against the kernel
'marlin_family', 2:4 sparse ones against 'sparse_marlin'. Exit status 1 where anything is behind or missing.
"""

import csv
import sys
from pathlib import Path

from results import BANDS, DENSE, SPARSE, Results, geometric_mean

PEERS = {DENSE: "marlin_family", SPARSE: "sparse_marlin"}
LEAST_AT_LARGE_M = 0.60  # of cuBLAS, in the geometric mean over the last band
SLOWDOWNS = {"perm": 1.10, "bias": 1.02}  # of act-order and bias, at most


def read_peers(path, kernel):
    """Speed-ups over cuBLAS by (shape, m)."""
    with Path(path).open(newline="") as file:
        return {
            ((int(row["n"]), int(row["k"])), int(row["m"])): float(row["speedup_over_cublas_fp16"])
            for row in csv.DictReader(file)
            if row["kernel"] == kernel
        }


def tolerance(us):
    """How far a single cell may be behind: long ones vary more."""
    return 0.10 if us > 1000 else 0.05


def compare(results, kind, peers):
    """Ratios of our speed-up to the peer's by (shape, m), and the cells that have no result."""
    ratios = {}
    missing = []
    for (shape, m), theirs in peers.items():
        cell = results.cell(kind, shape, m)
        if cell is None or cell.speedup is None:
            missing.append((shape, m))
        else:
            ratios[shape, m] = cell.speedup / theirs
    return ratios, missing


def check_kind(results, kind, peers):
    """Prints the comparison; how many bars are missed."""
    ratios, missing = compare(results, kind, peers)
    misses = len(missing)
    print(f"{kind} against {PEERS[kind]}: {len(ratios)} cells, {len(missing)} without a result")
    for band, (low, high) in BANDS.items():
        mean = geometric_mean(ratio for (_, m), ratio in ratios.items() if low <= m <= high)
        ours = geometric_mean(results.cell(kind, shape, m).speedup for shape, m in ratios if low <= m <= high)
        if mean is None:
            continue
        behind = mean < 1.0
        misses += behind
        print(f"  m {band:<9} {mean:.3f} of theirs, {ours:.3f} of cuBLAS{'  BEHIND' if behind else ''}")
        if high == 4096 and ours < LEAST_AT_LARGE_M:
            misses += 1
            print(f"  m {band:<9} {ours:.3f} of cuBLAS, expected at least {LEAST_AT_LARGE_M:.2f}  BEHIND")
    for (shape, m), ratio in sorted(ratios.items(), key=lambda item: item[1]):
        cell = results.cell(kind, shape, m)
        if ratio < 1.0 - tolerance(cell.us):
            misses += 1
            print(f"  behind: {shape[0]} x {shape[1]} m {m}: {ratio:.3f} of theirs, {cell.us:.2f} us")
    return misses


def check_slowdowns(results):
    """Act-order and bias beside the same problem without; how many cells take too long."""
    misses = 0
    for cell in results.all:
        word = cell.kind.split()[-1]
        base = results.cell(cell.kind.removesuffix(f" {word}"), cell.shape, cell.m)
        if word not in SLOWDOWNS or base is None:
            continue
        slowdown = cell.us / base.us
        behind = slowdown > SLOWDOWNS[word]
        misses += behind
        shape = f"{cell.n} x {cell.k} m {cell.m}"
        print(f"  {cell.kind} {shape}: {slowdown:.3f} of the time without{'  BEHIND' if behind else ''}")
    return misses


def main():
    results = Results(sys.argv[1])
    misses = sum(check_kind(results, kind, read_peers(sys.argv[2], PEERS[kind])) for kind in PEERS)
    misses += check_slowdowns(results)
    for problem, reason in results.missing.items():
        print(f"no result: {problem}: {reason}")
    print(f"{misses} behind or missing")
    sys.exit(1 if misses else 0)


if __name__ == "__main__":
    main()
