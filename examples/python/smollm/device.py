"""Which device the packed layers run on: CUDA where the library has a kernel for them, else the CPU."""

from __future__ import annotations

import importlib
from typing import Any

import libmarlin
import numpy as np

from .weights import GROUP, Q4_1


class CudaLinear:
    """A packed layer on a GPU for activations in host memory: one copy there, one back."""

    def __init__(self, handle: libmarlin.Handle, source: Q4_1) -> None:
        self.arrays: Any = importlib.import_module("cupy")  # device memory is its business, not libmarlin's
        n, k = source.codes.shape
        size = handle.pack_size(k, n, group_size=GROUP, type="u4", zero_type="f16")
        self.handle = handle
        self.weights = pack(handle, source, packed=self.arrays.empty(size, np.uint8))

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Multiply rows of FP32, which become FP16 on the way."""
        product = self.handle.gemm(self.arrays.asarray(x, np.float16), self.weights, out_dtype="f32")
        result: np.ndarray = self.arrays.asnumpy(product)
        return result


def pack(handle: libmarlin.Handle, source: Q4_1, packed: Any = None) -> libmarlin.Weights:
    """Pack a layer as the file has it: its codes, scales and minima, so that nothing is rounded twice."""
    return handle.pack(
        source.codes,
        order="nxk",
        scales=source.scales,
        zeros=source.offsets,
        group_size=GROUP,
        zero_type="f16",
        packed=packed,
    )


def linear(handle: libmarlin.Handle, source: Q4_1) -> libmarlin.Linear | CudaLinear:
    """Pack a layer for the handle's device."""
    if handle.info.device is libmarlin.Device.CUDA:
        return CudaLinear(handle, source)
    return libmarlin.Linear(handle, pack(handle, source))


def choose(wanted: str, threads: int, sample: Q4_1) -> tuple[libmarlin.Handle, str]:
    """Open a handle for "cpu", "cuda" or "auto"; return it with the reason why "auto" did not take the GPU.

    Raises libmarlin.Error or ImportError where "cuda" cannot be had.
    """
    reason = ""
    if wanted != "cpu":
        handle = None
        try:
            handle = libmarlin.Handle("cuda")
            handle.query(CudaLinear(handle, sample).weights, 1, out_dtype="f32")
            return handle, ""
        except (libmarlin.Error, ImportError) as error:
            if handle is not None:
                handle.close()
            if wanted == "cuda":
                raise
            reason = str(error)
    return libmarlin.Handle("cpu", num_threads=threads), reason
