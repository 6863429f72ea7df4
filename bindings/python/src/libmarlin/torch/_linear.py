"""A linear layer of packed weights, with a state dict that goes from device to device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from .._errors import Error, invalid
from . import _ops
from ._aligned import aligned
from ._attached import attached
from ._packed import move, pack


class Linear(torch.nn.Module):
    """Stands where an nn.Linear stood: y = x @ W.T + bias, W packed to 4 bits, dense or 2:4 sparse.

    The buffer packed holds the packed bytes; without them (as made here) the layer waits for load_state_dict. Use
    from_linear to quantise a layer, from_packed for bytes of libmarlin.torch.pack, such as a GPTQ checkpoint's.

    Moving the module to another kind of device rearranges the bytes. Gradients flow to x and bias, through unpacked
    weights; the packed ones have none.
    """

    packed: torch.Tensor
    bias: torch.nn.Parameter | None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.sparse = False
        """Whether the weights are 2:4 sparse; known once there are some."""
        self.register_buffer("packed", torch.empty(0, dtype=torch.uint8, device=device))
        self.bias = torch.nn.Parameter(torch.zeros(out_features, device=device, dtype=dtype)) if bias else None

    @classmethod
    def from_linear(cls, linear: torch.nn.Linear, **options: Any) -> Linear:
        """Round the weight of a layer to 4 bits; options are libmarlin.torch.pack's, group_size is 128 by default.

        The bias stays the parameter that it was.
        """
        packed = pack(linear.weight, order="nxk", **options)
        return cls.from_packed(packed, linear.bias)

    @classmethod
    def from_packed(cls, packed: torch.Tensor, bias: torch.Tensor | None = None) -> Linear:
        """Make a layer of packed bytes, which are checked, and a bias of (out_features,) on the same device."""
        read = attached(packed)
        layer = cls(read.k, read.n, bias=False)
        layer._adopt(move(packed, packed.device))
        if bias is not None:
            layer.bias = bias if isinstance(bias, torch.nn.Parameter) else torch.nn.Parameter(bias, False)
        return layer

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Multiply input of shape (..., in_features), in its type, on the current stream."""
        # From where nn.Module keeps them: as attributes they are looked for elsewhere first, which takes 0.5 us each. A
        # bias may be elsewhere: where there is none, and behind torch.nn.utils.parametrize and prune.
        packed = self._buffers["packed"]
        bias = self._parameters.get("bias")
        if bias is None:
            bias = self.bias
        assert packed is not None
        if packed.numel() == 0:
            raise invalid("packed has 0 bytes, expected packed weights: load a state dict, or use from_linear")
        if torch.is_grad_enabled() and (input.requires_grad or (bias is not None and bias.requires_grad)):
            result: torch.Tensor = _Multiply.apply(input, packed, self.out_features, bias, self.sparse)
            return result
        operator = _ops.sp_gemm if self.sparse else _ops.gemm
        return operator(input, packed, self.out_features, bias)

    def unpacked(self, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        """Return the weights that the layer multiplies by as a matrix (out_features, in_features)."""
        return _ops.unpack(self.packed, self.in_features, self.out_features, dtype)

    def extra_repr(self) -> str:
        """Say what the layer holds."""
        sparse = ", 2:4 sparse" if self.sparse else ""
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}{sparse}, "
            f"packed={self.packed.numel()} bytes"
        )

    def _adopt(self, packed: torch.Tensor) -> None:
        """Use packed bytes of this layer's shape, arranged for the device where they are."""
        read = attached(packed)
        if (read.k, read.n) != (self.in_features, self.out_features):
            raise invalid(
                f"packed weights have {read.k} input and {read.n} output features, expected {self.in_features} and "
                f"{self.out_features}"
            )
        self.packed = packed
        self.sparse = read.sparse

    def _apply(self, fn: Callable[[torch.Tensor], torch.Tensor], recurse: bool = True) -> Linear:
        before = self.packed
        super()._apply(fn, recurse)
        after = self.packed
        if after.is_meta or before.is_meta or after.numel() == 0:
            self.packed = after.to(torch.uint8)
        elif after.device.type == before.device.type:
            # A change of type (half, type) is the bias's: these are bytes.
            self.packed = aligned(after if after.dtype == torch.uint8 else before.to(after.device))
        else:
            self.packed = move(before, after.device)
        return self

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        # The bytes of another device or of other options have another size: they are adopted, not copied over.
        mine = {key: value for key, value in state_dict.items() if key.startswith(prefix)}
        packed = mine.pop(prefix + "packed", None)
        here = self._buffers.pop("packed")
        try:
            super()._load_from_state_dict(
                mine, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
            )
        finally:
            self._buffers["packed"] = here
        if packed is None:
            if strict:
                missing_keys.append(prefix + "packed")
            return
        assert here is not None
        device = packed.device if here.is_meta else here.device
        try:
            moved = move(packed, device)
            assign = local_metadata.get("assign_to_params_buffers", False)
            self._adopt(aligned(packed.clone()) if moved is packed and not assign else moved)
        except Error as error:
            error_msgs.append(f"{prefix}packed: {error}")

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.packed = aligned(self.packed)  # pickle and deepcopy know nothing of alignment


class _Multiply(torch.autograd.Function):
    """The multiply with gradients for input and bias."""

    @staticmethod
    def forward(
        input: torch.Tensor, packed: torch.Tensor, n: int, bias: torch.Tensor | None, sparse: bool
    ) -> torch.Tensor:
        return (_ops.sp_gemm if sparse else _ops.gemm)(input, packed, n, bias)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: torch.Tensor) -> None:
        input, packed, _, bias, _ = inputs
        ctx.save_for_backward(packed)
        ctx.k = input.shape[-1]
        ctx.bias_dtype = None if bias is None else bias.dtype

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (packed,) = ctx.saved_tensors
        grad_input = grad_bias = None
        if ctx.needs_input_grad[0]:
            grad_input = grad @ _ops.unpack(packed, ctx.k, grad.shape[-1], grad.dtype)
        if ctx.needs_input_grad[3]:
            grad_bias = grad.flatten(end_dim=-2).sum(0, dtype=torch.float32).to(ctx.bias_dtype)
        return grad_input, None, None, grad_bias, None
