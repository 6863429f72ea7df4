"""Memory for packed bytes: at addresses that are multiples of 256."""

from __future__ import annotations

import torch

from .._weights import allocate

_ALIGNMENT = 256


def empty(size: int, device: torch.device) -> torch.Tensor:
    """Make memory for packed bytes; PyTorch aligns to 64 bytes on the CPU, to 512 on CUDA."""
    if device.type != "cpu":
        return torch.empty(size, dtype=torch.uint8, device=device)
    return torch.frombuffer(allocate(size), dtype=torch.uint8)[:size]


def aligned(packed: torch.Tensor) -> torch.Tensor:
    """Return the tensor, or a copy where its address is none for packed bytes."""
    if packed.is_meta or packed.numel() == 0 or (packed.is_contiguous() and packed.data_ptr() % _ALIGNMENT == 0):
        return packed
    return empty(packed.numel(), packed.device).copy_(packed)
