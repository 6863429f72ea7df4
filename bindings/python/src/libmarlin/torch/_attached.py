"""What the library read in the headers of packed tensors, kept for as long as their memory lives."""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

import torch
from torch.multiprocessing.reductions import StorageWeakRef

from .. import native
from .._errors import invalid
from .._handle import Handle
from .._weights import Weights
from ._aligned import aligned
from ._handles import handle_of, refuse_capture


class Attached(NamedTuple):
    """The library's reading of a packed tensor. It does not keep the tensor's memory.

    The first four are read by native/torch_call.h, by their places.
    """

    cdata: int
    """The storage that was read, as its weak reference has it."""
    inference: bool
    version: int
    address: int
    """Where native lies."""
    native: native.marlin_weights
    storage: StorageWeakRef
    copy: torch.Tensor | None
    k: int
    n: int
    layout: int
    sparse: bool
    last: list[tuple[Any, Any]]
    """The last call's numbers and the description made of them: decoding makes the same call again and again. A
    description is never changed, only replaced, because other threads may be using it."""


attached_at: dict[int, Attached] = {}
# What StorageWeakRef.expired() comes to, which takes several times as long: it asks through a class of legacy storages.
expired = torch.UntypedStorage._expired
_changing = threading.Lock()


def version_of(packed: torch.Tensor) -> int:
    """Return PyTorch's count of changes in place; tensors made in inference mode have none."""
    return 0 if packed.is_inference() else packed._version


def attached(packed: torch.Tensor) -> Attached:
    """Return the reading of a packed tensor, from memory where the same bytes were read before.

    The same address is not enough: memory is used again. While the weak reference to the storage that was read is
    alive, nobody else has that memory; PyTorch counts changes in place. native/torch_call.h asks the same.
    """
    found = attached_at.get(packed.data_ptr())
    if found is not None and found.version == version_of(packed) and not expired(found.cdata):
        return found
    return _attach(packed)


def _attach(packed: torch.Tensor) -> Attached:
    if packed.dtype != torch.uint8 or packed.dim() != 1 or not packed.is_contiguous():
        raise invalid(
            f"weights is {packed.dtype} of shape {tuple(packed.shape)}, expected packed bytes: contiguous uint8 of one "
            "dimension, as libmarlin.torch.pack makes them"
        )
    refuse_capture(packed.get_device(), "the weights to be checked")
    # Clones that compilers and checks make in host memory may lie at any address: those are read from a copy.
    usable = aligned(packed)
    weights = as_weights(usable, handle_of(packed.get_device()))
    read = weights._native
    storage = StorageWeakRef(packed.untyped_storage())
    found = Attached(
        storage.cdata, packed.is_inference(), version_of(packed), native.weights_address(read), read, storage,
        None if usable is packed else usable, read.k, read.n, read.layout, bool(read.flags & 1), [(None, None)],
    )  # fmt: skip
    with _changing:
        for address in [address for address, old in attached_at.items() if expired(old.cdata)]:
            del attached_at[address]
        attached_at[packed.data_ptr()] = found
    return found


def as_weights(packed: torch.Tensor, handle: Handle) -> Weights:
    """Check packed bytes and describe them; the result keeps the memory alive."""
    return Weights.attach(aligned(packed.detach()), handle)
