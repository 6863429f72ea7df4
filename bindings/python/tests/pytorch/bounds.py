"""The FP64 oracle for tensors, and devices to test on."""

import pytest
import torch

UNIT = {torch.float16: 2.0**-11, torch.bfloat16: 2.0**-8, torch.float32: 2.0**-24}  # of one rounding, relative

DEVICES = [pytest.param("cpu"), pytest.param("cuda", marks=pytest.mark.gpu)]
CUDA_OR_CPU_TYPES = [
    pytest.param("cpu", torch.float16), pytest.param("cpu", torch.bfloat16), pytest.param("cpu", torch.float32),
    pytest.param("cuda", torch.float16, marks=pytest.mark.gpu),
    pytest.param("cuda", torch.bfloat16, marks=pytest.mark.gpu),
]  # fmt: skip


def default_type(device):
    """Return the type of activations: GPUs multiply no FP32 ones."""
    return torch.float32 if device == "cpu" else torch.float16


def check(out, x, weight, bias=None):
    """Compare with the FP64 product of x and weight (n, k).

    FP32 accumulation may lose (k + 4) 2^-24 of the sum of magnitudes; kernels for many rows on a GPU round scale and
    weight to the type of x, twice 2^-11 or 2^-8 of it.
    """
    x64, w64 = x.double().cpu(), weight.double().cpu()
    exact, sums = x64 @ w64.T, x64.abs() @ w64.abs().T
    if bias is not None:
        exact, sums = exact + bias.double().cpu(), sums + bias.double().cpu().abs()
    bound = (x.shape[-1] + 4) * 2.0**-24 * sums + UNIT[out.dtype] * exact.abs() + 2.0**-24
    if x.is_cuda:
        bound = bound + 2 * UNIT[x.dtype] * sums
    assert out.shape == exact.shape
    worst = ((out.double().cpu() - exact).abs() / bound).max() if out.numel() else 0
    assert worst <= 1, f"{worst:.2f} of the bound"
