"""Which device the packed layers run on: CUDA where the library has a kernel for them, else the CPU."""

from __future__ import annotations

import importlib
from typing import Any

import libmarlin
import numpy as np

from .weights import GROUP, Q4_1


class TorchArrays:
    """Device memory by PyTorch."""

    def __init__(self) -> None:
        self.torch: Any = importlib.import_module("torch")
        if not self.torch.cuda.is_available():
            raise ImportError("this PyTorch cannot use a GPU")

    def empty(self, size: int) -> Any:
        """Give `size` bytes on the GPU."""
        return self.torch.empty(size, dtype=self.torch.uint8, device="cuda")

    def to_device(self, x: np.ndarray) -> Any:
        """Copy an array to the GPU."""
        return self.torch.from_numpy(x).cuda()

    def to_host(self, x: Any) -> np.ndarray:
        """Copy an array back."""
        result: np.ndarray = x.cpu().numpy()
        return result


class CupyArrays:
    """Device memory by CuPy."""

    def __init__(self) -> None:
        self.cupy: Any = importlib.import_module("cupy")

    def empty(self, size: int) -> Any:
        """Give `size` bytes on the GPU."""
        return self.cupy.empty(size, np.uint8)

    def to_device(self, x: np.ndarray) -> Any:
        """Copy an array to the GPU."""
        return self.cupy.asarray(x)

    def to_host(self, x: Any) -> np.ndarray:
        """Copy an array back."""
        result: np.ndarray = self.cupy.asnumpy(x)
        return result


def device_arrays() -> TorchArrays | CupyArrays:
    """Device memory is another library's business, not libmarlin's: take the one that is installed."""
    reasons = []
    for kind in (TorchArrays, CupyArrays):
        try:
            return kind()
        except ImportError as error:
            reasons.append(str(error))
    raise ImportError(f"{'; '.join(reasons)}: expected PyTorch for CUDA or CuPy")


class CudaLinear:
    """A packed layer on a GPU for activations in host memory: one copy there, one back."""

    def __init__(self, handle: libmarlin.Handle, source: Q4_1) -> None:
        self.arrays = device_arrays()
        n, k = source.codes.shape
        size = handle.pack_size(k, n, group_size=GROUP, type="u4", zero_type="f16")
        self.handle = handle
        self.weights = pack(handle, source, packed=self.arrays.empty(size))

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Multiply rows of FP32, which become FP16 on the way."""
        rows = self.arrays.to_device(np.ascontiguousarray(x, np.float16))
        return self.arrays.to_host(self.handle.gemm(rows, self.weights, out_dtype="f32"))


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
