"""Packed weights as tensors: made from values or codes, aligned, and rearranged for another kind of device."""

from __future__ import annotations

import ctypes
from typing import Any

import torch

from .._enums import Layout, Status, Type
from .._errors import Error
from .._weights import PER_COLUMN, Weights
from ._aligned import aligned, empty
from ._attached import as_weights, attached
from ._handles import handle_of

_TENSOR_TYPES = {
    Type.S4: torch.int8, Type.U4: torch.uint8, Type.U8: torch.uint8,
    Type.F16: torch.float16, Type.BF16: torch.bfloat16, Type.F32: torch.float32,
}  # fmt: skip
_LAYOUTS = {
    ("cpu", False): Layout.CPU_DRAFT, ("cpu", True): Layout.CPU_SPARSE24_DRAFT,
    ("cuda", False): Layout.DENSE, ("cuda", True): Layout.SPARSE24_DRAFT,
}  # fmt: skip


def pack(src: torch.Tensor, *, device: torch.device | str | int | None = None, **options: Any) -> torch.Tensor:
    """Pack weights for the multiplies of device (None: src's) and return the packed bytes, one dimension of uint8.

    options are those of libmarlin.Handle.pack: source, order ("nxk" for the weight of an nn.Linear), scales, zeros,
    group_size, scale_method, sparsity, ... Tensors among them may lie on the CPU or on the device.
    """
    place = _place(src.device if device is None else device)
    options = {name: value.detach() if isinstance(value, torch.Tensor) else value for name, value in options.items()}
    handle = handle_of(-1 if place.index is None else place.index)
    weights = handle.pack(src.detach(), packed=lambda size: empty(size, place), **options)
    packed: torch.Tensor = weights._memory
    return packed[: weights.size]


def move(packed: torch.Tensor, device: torch.device | str | int) -> torch.Tensor:
    """Return packed bytes on a device, in the arrangement that its kernels read; the values stay the same.

    What is there and arranged so is returned itself. Rearranging runs on the CPU. Raises Error (NOT_SUPPORTED) for
    weights that cannot be taken apart: 2:4 sparse ones with act-order, or with offsets.
    """
    place = _place(device)
    if packed.numel() == 0:
        return packed.to(place)
    read = attached(packed)
    if read.layout == _LAYOUTS[place.type, read.sparse]:
        return aligned(packed.to(place))
    return aligned(rearranged(aligned(packed.cpu()), place.type).to(place))


def rearranged(packed: torch.Tensor, device_type: str) -> torch.Tensor:
    """Return packed bytes in host memory in the layout that a kind of device multiplies by."""
    handle = handle_of(-1)
    weights = as_weights(packed, handle)
    layout = _LAYOUTS[device_type, weights.sparse]
    if weights.layout == layout:
        return packed
    raw = weights._native
    if raw.column_scales or (raw.perm and weights.sparse):
        what = "column scales" if raw.column_scales else "act-order and 2:4 sparsity"
        raise Error(
            Status.NOT_SUPPORTED,
            f"the weights have {what}, expected neither: pack the source again for {device_type}",
        )
    groups = 1 if weights.group_size == PER_COLUMN else -(-weights.k // weights.group_size)
    # Stored groups are more than the source's where rows are padded, and fewer where act-order left some empty.
    shape = (max(groups, weights.groups), weights.n)
    codes = torch.empty(weights.shape, dtype=_TENSOR_TYPES[weights.type])
    scales = torch.ones(shape, dtype=_TENSOR_TYPES[weights.scale_type])
    zeros = None if weights.zero_type is Type.NONE else torch.zeros(shape, dtype=_TENSOR_TYPES[weights.zero_type])
    stored = slice(weights.groups)
    handle.unpack(weights, codes, scales=scales[stored], zeros=None if zeros is None else zeros[stored])
    result = handle.pack(
        codes,
        scales=scales[:groups],
        zeros=None if zeros is None else zeros[:groups],
        group_size=weights.group_size,
        type=weights.type,
        zero_type=weights.zero_type,
        scale_type=weights.scale_type,
        layout=layout,
        sparsity="already_24" if weights.sparse else "dense",
        g_idx=_group_index(weights, groups) if raw.perm else None,
        packed=lambda size: empty(size, packed.device),
    )
    again: torch.Tensor = result._memory
    return again[: result.size]


def _group_index(weights: Weights, groups: int) -> torch.Tensor:
    """Return the group of each source row, from the source row of each packed one."""
    rows = (ctypes.c_int32 * weights.k_packed).from_address(weights._native.perm)
    perm = torch.tensor(rows[:], dtype=torch.int64)
    of_packed = torch.arange(weights.k_packed) // weights.group_size
    index = torch.zeros(weights.k, dtype=torch.int32)
    index[perm[perm >= 0]] = of_packed[perm >= 0].to(torch.int32)
    if int(index.max()) >= groups:
        raise Error(
            Status.NOT_SUPPORTED,
            f"the weights have act-order groups of more than {weights.group_size} rows, expected no such group: pack "
            "the source again",
        )
    return index


def _place(device: torch.device | str | int) -> torch.device:
    place = torch.device(device)
    if place.type not in ("cpu", "cuda"):
        raise Error(Status.NOT_SUPPORTED, f"device is {place}, expected cpu or cuda")
    if place.type == "cuda" and place.index is None:
        return torch.device("cuda", torch.cuda.current_device())
    return torch.device("cpu") if place.type == "cpu" else place
