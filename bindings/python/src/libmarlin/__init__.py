"""Multiply activations by 4-bit weights: C[m, n] = A[m, k] * W[k, n] + bias.

W is stored as 4-bit codes with one scale (and perhaps a zero point or an offset) for each group of consecutive k::

    import libmarlin, numpy as np

    with libmarlin.Handle() as handle:
        weights = handle.pack(w, group_size=128)  # w: (k, n) values, rounded to 4 bits here
        c = handle.gemm(a, weights)               # a: (m, k) -> c: (m, n), a NumPy array as a is

Arrays are whatever has the buffer protocol, DLPack or ``__cuda_array_interface__`` (NumPy, PyTorch, CuPy and others);
this package imports none of them. Shapes and strides count elements. Failures of the library are :class:`Error`.
"""

from ._enums import CpuIsa, Device, Layout, LogLevel, Math, Order, ScaleMethod, Source, Sparsity, Status, Type
from ._errors import Error
from ._handle import Handle, HandleInfo
from ._linear import Linear
from ._multiply import GemmInfo
from ._process import build_info, set_log, version
from ._weights import PER_COLUMN, Weights

__version__ = version()

__all__ = [
    "PER_COLUMN",
    "CpuIsa",
    "Device",
    "Error",
    "GemmInfo",
    "Handle",
    "HandleInfo",
    "Layout",
    "Linear",
    "LogLevel",
    "Math",
    "Order",
    "ScaleMethod",
    "Source",
    "Sparsity",
    "Status",
    "Type",
    "Weights",
    "build_info",
    "set_log",
    "version",
]
