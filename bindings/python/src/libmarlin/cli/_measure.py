"""Timing of multiplies as a Python program makes them."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from typing import Any

from .._weights import Weights
from ._case import make_case, pack_case
from ._place import Place
from ._problem import Problem

_COLD = 256 << 20  # bytes of weights to rotate through, beyond the caches of most machines
_MOST_COPIES = 64
_LEAST_CALLS = 5


def measure(place: Place, problem: Problem, seconds: float, peer: bool = True) -> dict[str, Any]:
    """Time a multiply for about so many seconds, and NumPy's FP32 one on the CPU; times are microseconds.

    Weights are rotated through copies, as a model's layers are: they come from memory, not from a cache. On the CPU a
    call is timed with all that Python does around it; on a GPU a CUDA graph with one call for each copy.
    """
    case = make_case(problem)
    weights = [pack_case(place, case)]
    copies = min(_MOST_COPIES, max(1, math.ceil(_COLD / weights[0].size)))
    weights += [pack_case(place, case) for _ in range(copies - 1)]
    p = problem
    a = place.put(case.a, p.a_type)
    out = place.empty((p.m, p.n), p.out_type)
    bias = None if case.bias is None else place.put(case.bias, p.bias_type or "")
    multiply = place.handle.sp_gemm if p.sparse else place.handle.gemm

    def call(packed: Weights) -> None:
        multiply(a, packed, out, bias=bias, dtype=p.a_type, out_dtype=p.out_type, bias_dtype=p.bias_type)

    for packed in weights[:3]:
        call(packed)
    place.wait()
    times = _on_gpu(place, call, weights, seconds) if place.on_cuda else _on_cpu(call, weights, seconds)
    median = statistics.median(times)
    query = place.handle.query(weights[0], p.m, dtype=p.a_type, out_dtype=p.out_type)
    result: dict[str, Any] = {
        "problem": str(p),
        "kernel": query.kernel,
        "us": 1e6 * median,
        "us_best": 1e6 * min(times),
        "repeats": len(times),
        "weight_bytes": weights[0].size,
        "copies": copies,
        "gbps": weights[0].size / median / 1e9,
        "gflops": 2 * p.m * p.n * p.k / median / 1e9,
    }
    if peer and not place.on_cuda:
        result["numpy_us"] = 1e6 * _numpy(p, seconds)
        result["speedup"] = result["numpy_us"] / result["us"]
    return result


def _on_cpu(call: Callable[[Weights], None], weights: list[Weights], seconds: float) -> list[float]:
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < _LEAST_CALLS or time.perf_counter() < end:
        begin = time.perf_counter()
        call(weights[len(times) % len(weights)])
        times.append(time.perf_counter() - begin)
    return times


def _on_gpu(place: Place, call: Callable[[Weights], None], weights: list[Weights], seconds: float) -> list[float]:
    def calls() -> None:
        for packed in weights:
            call(packed)

    graph = place.graph(calls)
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < _LEAST_CALLS or time.perf_counter() < end:
        times.append(place.elapsed(graph.replay) / len(weights))
    return times


def _numpy(p: Problem, seconds: float) -> float:
    """Return the seconds of NumPy's multiply of FP32 matrices of the same shape."""
    import numpy as np

    a, w = np.ones((p.m, p.k), np.float32), np.ones((p.k, p.n), np.float32)
    out = np.empty((p.m, p.n), np.float32)
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < _LEAST_CALLS or time.perf_counter() < end:
        begin = time.perf_counter()
        np.matmul(a, w, out)
        times.append(time.perf_counter() - begin)
    return statistics.median(times)
