"""A linear layer: packed weights, a bias, and the handle that multiplies them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._enums import Type
from ._weights import Weights

if TYPE_CHECKING:
    from ._handle import Handle


class Linear:
    """Call it as a layer: y = linear(x) is x[..., k] * W[k, n] + bias[n], by gemm or, for 2:4 weights, sp_gemm.

    It keeps handle, weights and bias alive. bias has the shape (n,) of float16, bfloat16 or float32; BF16 in a uint16
    array is said by bias_dtype="bf16".
    """

    def __init__(
        self, handle: Handle, weights: Weights, bias: Any = None, *, bias_dtype: Type | str | None = None
    ) -> None:
        if not isinstance(weights, Weights):
            raise TypeError(f"weights is of type {type(weights).__name__}, expected libmarlin.Weights")
        self.handle = handle
        self.weights = weights
        self.bias = bias
        self.bias_dtype = bias_dtype
        self._multiply = handle.sp_gemm if weights.sparse else handle.gemm

    @property
    def in_features(self) -> int:
        """Length of an input row: k."""
        return self.weights.k

    @property
    def out_features(self) -> int:
        """Length of an output row: n."""
        return self.weights.n

    def __call__(
        self, x: Any, out: Any = None, *, dtype: Type | str | None = None, out_dtype: Type | str | None = None
    ) -> Any:
        """Multiply x of shape (..., k); see Handle.gemm for out, types and errors."""
        return self._multiply(
            x, self.weights, out, bias=self.bias, dtype=dtype, out_dtype=out_dtype, bias_dtype=self.bias_dtype
        )

    def __repr__(self) -> str:
        return f"Linear({self.weights!r}, bias={self.bias is not None})"
