"""Multiplies against FP64 in NumPy, which shares nothing with the library but the problem's numbers."""

from __future__ import annotations

import numpy as np

from ._case import Array, Case, decode, make_case, pack_case
from ._place import Place
from ._problem import Problem

_UNIT = {"f16": 2.0**-11, "bf16": 2.0**-8, "f32": 2.0**-24}  # of one rounding, relative
_SMALLEST = {"f16": 2.0**-25, "bf16": 2.0**-134, "f32": 2.0**-150}  # of one rounding near zero, absolute


def check_problem(place: Place, problem: Problem) -> float:
    """Multiply once; return the largest error as a share of what rounding explains: above 1 is wrong."""
    case = make_case(problem)
    weights = pack_case(place, case)
    p = problem
    multiply = place.handle.sp_gemm if p.sparse else place.handle.gemm
    out = place.empty((p.m, p.n), p.out_type)
    multiply(
        place.put(case.a, p.a_type),
        weights,
        out,
        bias=None if case.bias is None else place.put(case.bias, p.bias_type or ""),
        dtype=p.a_type,
        out_dtype=p.out_type,
        bias_dtype=p.bias_type,
    )
    return worst_share(case, place.get(out), rounds_weights=place.on_cuda)


def worst_share(case: Case, out: Array, rounds_weights: bool) -> float:
    """Return the largest error of a result as a share of its bound.

    FP32 accumulation may lose (k + 4) 2^-24 of the sum of magnitudes, the result's type one rounding. rounds_weights:
    kernels that round scale, offset and weight to the type of A lose three roundings of it in each product more.
    """
    p = case.problem
    value, magnitude = weight_values(case)
    a = decode(case.a, p.a_type)
    exact = a @ value
    sums = np.abs(a) @ magnitude
    if case.bias is not None:
        bias = decode(case.bias, p.bias_type or "")
        exact = exact + bias
        sums = sums + np.abs(bias)
    bound = (p.k + 4) * 2.0**-24 * sums + _UNIT[p.out_type] * np.abs(exact) + _SMALLEST[p.out_type]
    if rounds_weights:
        bound = bound + 3 * _UNIT[p.a_type] * sums
    error = np.abs(decode(out, p.out_type) - exact)
    if not np.isfinite(error).all():
        return float("inf")
    return float(np.max(error / bound))


def weight_values(case: Case) -> tuple[Array, Array]:
    """Return the weights in FP64, and the magnitude of what they are summed from."""
    p = case.problem
    if case.g_idx is not None:
        group = case.g_idx
    else:
        group = np.zeros(p.k, int) if p.group_size < 0 else np.arange(p.k) // p.group_size
    scale = decode(case.scales, p.scale_type)[group]
    code = case.codes.astype(np.float64)
    if case.zeros is None:
        value = code * scale
        return value, np.abs(value)
    zero = decode(case.zeros, p.zeros)[group]
    if p.zeros == "u8":
        value = (code - zero) * scale
        return value, np.abs(value)
    return code * scale + zero, code * scale + np.abs(zero)


def check_grid(full: bool, on_cuda: bool) -> list[Problem]:
    """Return problems of every kind of weights, type of activations and way of a kernel to run out of rows."""
    kinds: list[tuple[str, str]] = [("s4", ""), ("u4", ""), ("u4", "f16")]
    if full:
        kinds += [("u4", "bf16"), ("u4", "f32")]
    types = ["f16", "bf16"] if on_cuda else ["f16", "bf16", "f32"]
    shapes = [(200, 328)] if not full else [(200, 328), (64, 64), (1000, 1096)]
    problems = []
    for a_type in types:
        for kind, zero_type in kinds:
            for group_size in (32, 64, 128, -1):
                for m in (1, 16, 65) if not full else (1, 2, 7, 16, 17, 33, 65, 130):
                    for n, k in shapes:
                        odd = m % 2 == 1
                        scale_type = "bf16" if odd and a_type == "bf16" else "f16"
                        common = (a_type, kind, group_size, m, n, k)
                        bias = "f32" if odd else None
                        problems.append(
                            Problem(False, *common, "f32" if m == 16 else "", scale_type, zero_type, bias, False)
                        )
                        if group_size > 0 and (full or m == 16):
                            problems.append(Problem(False, *common, "", scale_type, zero_type, bias, True))
                        if not zero_type:  # no code means zero where there are offsets
                            problems.append(Problem(True, *common, "", scale_type, zero_type, bias, False))
    return problems
