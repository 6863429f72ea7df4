"""libmarlin in PyTorch: operators of torch.ops.libmarlin, a linear layer, and the exchange of a model's layers.

Importing this module registers ``torch.ops.libmarlin.gemm``, ``sp_gemm`` and ``unpack``::

    import torch, libmarlin.torch

    libmarlin.torch.replace_linears(model, group_size=128)  # nn.Linear -> libmarlin.torch.Linear
    with torch.inference_mode():
        logits = model(tokens)

Work runs on PyTorch's current stream, on the device of the packed weights.
"""

from ._linear import Linear
from ._ops import gemm, kernels, sp_gemm, unpack
from ._packed import move, pack
from ._replace import replace_linears

__all__ = ["Linear", "gemm", "kernels", "move", "pack", "replace_linears", "sp_gemm", "unpack"]
