"""Where bench and check multiply: NumPy arrays on the CPU, PyTorch's tensors on a GPU."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._enums import Device, Status
from .._errors import Error
from .._handle import Handle


class Place:
    """A handle, and arrays in its memory. BF16 is uint16 on the side of NumPy."""

    def __init__(self, device: str | None, device_id: int = 0, threads: int = 0) -> None:
        self.handle = Handle(device, device_id, num_threads=threads)
        self._torch: Any = None
        info = self.handle.info
        self.on_cuda = info.device is Device.CUDA
        self.name = info.name
        if self.on_cuda:
            try:
                import torch
            except ImportError:
                raise Error(
                    Status.NOT_SUPPORTED,
                    "PyTorch is not installed, expected it for the memory of a GPU: pip install torch, or use "
                    "--device cpu",
                ) from None
            self._torch = torch
            self._device = torch.device("cuda", info.device_id)
            self._stream = torch.cuda.Stream(self._device)
            self.handle.stream = self._stream.cuda_stream

    def put(self, array: np.ndarray[Any, Any], kind: str = "") -> Any:
        """Copy an array to the device; kind "bf16" says what uint16 are."""
        if not self.on_cuda:
            return array
        tensor = self._torch.from_numpy(array).to(self._device)
        return tensor.view(self._torch.bfloat16) if kind == "bf16" else tensor

    def empty(self, shape: tuple[int, ...], kind: str) -> Any:
        """Make an array for results."""
        if not self.on_cuda:
            return np.empty(shape, {"f16": np.float16, "bf16": np.uint16, "f32": np.float32}[kind])
        names = {"f16": "float16", "bf16": "bfloat16", "f32": "float32"}
        return self._torch.empty(shape, dtype=getattr(self._torch, names[kind]), device=self._device)

    def memory(self, size: int) -> Any:
        """Make memory for packed bytes on a GPU."""
        return self._torch.empty(size, dtype=self._torch.uint8, device=self._device)

    def get(self, array: Any) -> np.ndarray[Any, Any]:
        """Copy results to the host."""
        if not self.on_cuda:
            return np.asarray(array)
        self.wait()
        bf16 = array.dtype == self._torch.bfloat16
        result: np.ndarray[Any, Any] = (array.view(self._torch.uint16) if bf16 else array).cpu().numpy()
        return result

    def wait(self) -> None:
        """Wait for what was enqueued."""
        if self.on_cuda:
            self._torch.cuda.synchronize(self._device)

    def graph(self, calls: Any) -> Any:
        """Capture calls() into a CUDA graph on the handle's stream."""
        graph = self._torch.cuda.CUDAGraph()
        with self._torch.cuda.graph(graph, stream=self._stream):
            calls()
        return graph

    def elapsed(self, work: Any) -> float:
        """Return the seconds that work() takes on the GPU."""
        begin, end = (self._torch.cuda.Event(enable_timing=True) for _ in range(2))
        with self._torch.cuda.stream(self._stream):
            begin.record()
            work()
            end.record()
        end.synchronize()
        milliseconds: float = begin.elapsed_time(end)
        return milliseconds / 1000
