"""Reads the results of a GPU from docs/benchmarks, for the scripts beside this one."""

import json
import re
import sys
from collections import Counter
from dataclasses import dataclass
from math import exp, log
from pathlib import Path

DENSE = "gemm f16 s4 g128"
SPARSE = "sp_gemm f16 s4 g128"
MANY_BATCHES = 10  # a shape with fewer is no row of the grid: the roofline and other kinds of weights have their own
BANDS = {"1-16": (1, 16), "32-64": (32, 64), "96-128": (96, 128), "256-4096": (256, 4096)}


@dataclass(frozen=True)
class Result:
    """One measured problem. `kind` is its text without the sizes."""

    kind: str
    m: int
    n: int
    k: int
    us: float
    cublas_us: float | None
    limit_us: float
    read_us: float
    packed_bytes: int
    dependent_launch_us: float | None = None  # with MARLIN_OPTION_DEPENDENT_LAUNCH
    batch_invariant_us: float | None = None  # with MARLIN_MATH_BATCH_INVARIANT
    sm_mhz: float | None = None

    @property
    def shape(self):
        return self.n, self.k

    @property
    def speedup(self):
        """Over cuBLAS; None where that was not measured."""
        return self.cublas_us / self.us if self.cublas_us else None

    @property
    def share(self):
        return self.limit_us / self.us

    @property
    def operations(self):
        return 2 * self.m * self.n * self.k

    @property
    def bytes_moved(self):
        return self.packed_bytes + 2 * self.m * (self.n + self.k)


def parse_problem(text):
    """'gemm f16 s4 g128 m16 n4096 k4096 bias' as ('gemm f16 s4 g128 bias', 16, 4096, 4096)."""
    sizes = {}
    kind = []
    for word in text.split():
        match = re.fullmatch(r"([mnk])(\d+)", word)
        if match:
            sizes[match[1]] = int(match[2])
        else:
            kind.append(word)
    return " ".join(kind), sizes["m"], sizes["n"], sizes["k"]


class Results:
    """What a file of docs/benchmarks says. Problems that have no result are in `missing`, with the reason."""

    def __init__(self, path):
        self.name = Path(path).stem
        self.document = json.loads(Path(path).read_text())
        if "results" not in self.document:
            sys.exit(f"{path} has no results, expected a file that tests/gpu/run.sh merged")
        self.missing = {}
        self.all = []
        for entry in self.document["results"]:
            if "failed" in entry:
                self.missing[entry["problem"]] = entry["failed"]
                continue
            fields = ["us", "cublas_us", "limit_us", "read_us", "packed_bytes"]
            values = [entry[field] for field in fields]
            more = {field: entry.get(field) for field in ["dependent_launch_us", "batch_invariant_us", "sm_mhz"]}
            self.all.append(Result(*parse_problem(entry["problem"]), *values, **more))
        self._cells = {(r.kind, r.shape, r.m): r for r in self.all}

    def cell(self, kind, shape, m):
        """The result, or None."""
        return self._cells.get((kind, shape, m))

    def kinds(self):
        return list(dict.fromkeys(r.kind for r in self.all))

    def line(self, kind, shape):
        """All batches of a shape, in rising order."""
        return sorted((r for r in self.all if r.kind == kind and r.shape == shape), key=lambda r: r.m)

    def grid_shapes(self, kind):
        """Those with many batches, small layers first."""
        shapes = {r.shape for r in self.all if r.kind == kind}
        many = [shape for shape in shapes if len(self.line(kind, shape)) >= MANY_BATCHES]
        return sorted(many, key=lambda shape: (shape[0] * shape[1], shape))

    def grid_batches(self, kind):
        """Those that half of the shapes of the grid have."""
        counts = Counter(r.m for shape in self.grid_shapes(kind) for r in self.line(kind, shape))
        return sorted(m for m, count in counts.items() if 2 * count >= len(self.grid_shapes(kind)))


def geometric_mean(values):
    values = list(values)
    return exp(sum(map(log, values)) / len(values)) if values else None
