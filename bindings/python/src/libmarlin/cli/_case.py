"""A problem with numbers: codes, scales and activations, made from a seed, and packed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._weights import Weights
from ._place import Place
from ._problem import Problem

Array = np.ndarray[Any, Any]


@dataclass
class Case:
    """What a multiply reads. Arrays are of the host; BF16 is uint16."""

    problem: Problem
    codes: Array
    scales: Array
    zeros: Array | None
    g_idx: Array | None
    a: Array
    bias: Array | None


def make_case(problem: Problem, seed: int = 0) -> Case:
    """Make a case; the same numbers for the same problem and seed."""
    p = problem
    random = np.random.default_rng(seed)
    signed = p.type == "s4"
    codes = random.integers(-8 if signed else 0, 8 if signed else 16, (p.k, p.n), np.int8).astype(
        np.int8 if signed else np.uint8
    )
    scales = encode(random.uniform(0.005, 0.02, (p.groups, p.n)), p.scale_type)
    zeros = None
    if p.zeros == "u8":
        zeros = random.integers(0, 16, (p.groups, p.n)).astype(np.uint8)
    elif p.zeros != "none":
        zeros = encode(random.uniform(-0.1, 0.1, (p.groups, p.n)), p.zeros)
    g_idx = None
    if p.act_order:
        size = p.k if p.group_size < 0 else p.group_size
        g_idx = random.permutation(np.arange(p.k) // size).astype(np.int32)
    if p.sparse:
        _prune(p, codes, zeros, random)
    a = encode(random.standard_normal((p.m, p.k)), p.a_type)
    bias = None if p.bias_type is None else encode(random.standard_normal(p.n), p.bias_type)
    return Case(p, codes, scales, zeros, g_idx, a, bias)


def _prune(p: Problem, codes: Array, zeros: Array | None, random: Any) -> None:
    """Give two of each four rows the code that means zero."""
    order = random.permuted(np.tile(np.arange(4), (-(-p.k // 4), p.n, 1)), axis=2)
    pruned = (order < 2).transpose(0, 2, 1).reshape(-1, p.n)[: p.k]
    if zeros is None:
        codes[pruned] = 0
    else:
        group = np.zeros(p.k, int) if p.group_size < 0 else np.arange(p.k) // p.group_size
        codes[pruned] = zeros[group][pruned]


def pack_case(place: Place, case: Case) -> Weights:
    """Pack the case's weights on the handle of a place."""
    p = case.problem
    return place.handle.pack(
        case.codes,
        scales=case.scales,
        scales_dtype=p.scale_type,
        zeros=case.zeros,
        zeros_dtype=p.zeros if p.zeros in ("f16", "bf16", "f32") else None,
        group_size=p.group_size,
        scale_type=p.scale_type,
        sparsity="already_24" if p.sparse else "dense",
        g_idx=case.g_idx,
        packed=place.memory if place.on_cuda else None,
    )


def encode(values: Array, kind: str) -> Array:
    """Round to f16, bf16 (as uint16, to the nearest, ties to even) or f32."""
    if kind == "f16":
        return values.astype(np.float16)
    single = np.ascontiguousarray(values, np.float32)
    if kind == "f32":
        return single
    bits = single.view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def decode(array: Array, kind: str) -> Array:
    """Return the values in FP64."""
    if kind == "bf16":
        return (array.astype(np.uint32) << 16).view(np.float32).astype(np.float64)
    return array.astype(np.float64)
