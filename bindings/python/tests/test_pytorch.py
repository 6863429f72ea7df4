"""Says in the count of tests whether those of libmarlin.torch ran."""

import pytest


def test_pytorch_is_here():
    try:
        import torch
    except Exception as error:  # absent, or without the CUDA libraries that it names
        pytest.skip(f"libmarlin.torch is not tested: PyTorch cannot be imported: {str(error).splitlines()[0]}")
    import libmarlin.torch

    assert torch.ops.libmarlin.gemm.default is libmarlin.torch.gemm
