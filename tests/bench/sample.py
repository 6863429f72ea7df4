"""A document as docs/benchmarks has them, with made-up times, for the tests of the scripts beside this one."""

import json

BATCHES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 1024, 4096]


def entry(kind, m, n, k, us, cublas_us=100.0):
    """One result; words of `kind` after its group stand behind the sizes, as marlin_bench writes them."""
    words = kind.split()
    problem = " ".join([*words[:4], f"m{m}", f"n{n}", f"k{k}", *words[4:]])
    return {
        "problem": problem,
        "kernel": "some_kernel",
        "us": us,
        "us_min": us,
        "us_max": us,
        "cublas_us": cublas_us,
        "read_us": us / 2,
        "read_kernel": "loads",
        "read_measured_us": us / 2,
        "limit_us": us / 2,
        "share": 0.5,
        "max_relative_error": 1e-4,
        "packed_bytes": n * k * 33 // 64,
        "sm_mhz": 1980,
    }


def document(results, **more):
    return {
        "gpu": "NVIDIA H200",
        "driver": "580.1",
        "cuda": "13.0",
        "cublas": "13.1.0",
        "version": "0.2.0",
        "commit": "abc",
        "date": "2026-11-23T00:00:00Z",
        "clocks": {"max_sm_mhz": 1980, "max_memory_mhz": 3201, "power_limit_w": 700},
        "results": results,
        **more,
    }


def write(path, results):
    path.write_text(json.dumps(document(results)))
    return path


def whole_grid():
    """Both kinds on two shapes, ours twice as quick as cuBLAS."""
    return [
        entry(kind, m, n, k, 50.0)
        for kind in ("gemm f16 s4 g128", "sp_gemm f16 s4 g128")
        for n, k in ((4096, 4096), (8192, 8192))
        for m in BATCHES
    ]
