"""Putting packed layers in the place of a model's nn.Linear layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from .._errors import Error
from ._linear import Linear


def replace_linears(
    model: torch.nn.Module,
    filter: Callable[[str, torch.nn.Linear], bool] | None = None,
    *,
    progress: Callable[[int, int, str], object] | None = None,
    empty: bool = False,
    **options: Any,
) -> list[str]:
    """Replace the nn.Linear layers of a model by packed ones, in place, and return their names.

    filter(name, layer) says which, None: all. Subclasses of nn.Linear are left alone: what they do besides is not
    known. progress(done, total, name) is called after each layer. options are libmarlin.torch.pack's (group_size,
    scale_method, sparsity, ...); every layer is packed where it lies, and its old weight is freed at once.

    empty=True quantises nothing: the layers wait for load_state_dict with the state dict of a model that was.

    Raises Error, with the name of the layer; layers before it stay replaced.
    """
    if type(model) is torch.nn.Linear:
        raise TypeError("model is an nn.Linear, expected a module that holds some: use Linear.from_linear")
    found = [
        (name, module)
        for name, module in model.named_modules()
        if type(module) is torch.nn.Linear and (filter is None or filter(name, module))
    ]
    parents: dict[torch.nn.Module, list[tuple[torch.nn.Module, str]]] = {}
    for parent in model.modules():
        for child_name, child in parent._modules.items():
            if child is not None:
                parents.setdefault(child, []).append((parent, child_name))
    names = []
    while found:
        name, module = found.pop(0)
        try:
            layer = _waiting(module) if empty else Linear.from_linear(module, **options)
        except Error as error:
            raise Error(error.status, f"{name}: {error}") from error
        layer.train(module.training)
        for parent, child_name in parents.pop(module):  # a layer may be used in several places
            setattr(parent, child_name, layer)
        names.append(name)
        del module
        if progress is not None:
            progress(len(names), len(names) + len(found), name)
    return names


def _waiting(linear: torch.nn.Linear) -> Linear:
    weight = linear.weight
    layer = Linear(linear.in_features, linear.out_features, False, weight.device, weight.dtype)
    layer.bias = linear.bias
    return layer
