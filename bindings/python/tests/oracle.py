"""BF16 in NumPy, and the FP64 oracle with its bound."""

import numpy as np


def to_bf16(x):
    """Round FP32 to BF16, kept in uint16."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def from_bf16(x):
    """Return the FP32 values of BF16 in uint16."""
    return (x.astype(np.uint32) << 16).view(np.float32)


ROUNDING = {"f16": 2.0**-11, "bf16": 2.0**-8, "f32": 2.0**-24}  # of one rounding, relative


def check(c, a, w, bias=0.0, kind="f32"):
    """Compare with the FP64 product; FP32 accumulation may lose (k + 4) 2^-24 of the sum of magnitudes."""
    a, w, c = (np.asarray(x, np.float64) for x in (a, w, c))
    exact = a @ w + bias
    bound = (a.shape[-1] + 4) * 2.0**-24 * (np.abs(a) @ np.abs(w) + np.abs(bias))
    bound = bound + ROUNDING[kind] * np.abs(exact) + 2.0**-24
    assert c.shape == exact.shape
    worst = np.max(np.abs(c - exact) / bound, initial=0.0)
    assert worst <= 1.0, f"{worst:.2f} of the bound"
