"""The layer: quantising, state dicts, moves, copies, gradients."""

import copy
import io
import pickle

import pytest
import torch
from bounds import DEVICES, check, default_type

import libmarlin
from libmarlin.torch import Linear, pack
from libmarlin.torch._packed import rearranged

K, N = 160, 96


def make(device="cpu", bias=True, **options):
    source = torch.nn.Linear(K, N, bias, device=device, dtype=default_type(device))
    return source, Linear.from_linear(source, **({"group_size": 32} | options))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("sparse", [False, True])
@torch.no_grad()
def test_in_the_place_of_a_linear(device, bias, sparse):
    source, layer = make(device, bias, sparsity="select_24" if sparse else "dense")
    assert (layer.in_features, layer.out_features, layer.sparse) == (K, N, sparse)
    assert layer.bias is source.bias
    x = torch.randn(3, 5, K, device=device, dtype=source.weight.dtype)
    check(layer(x), x, layer.unpacked(), source.bias)
    if not sparse:  # rounded to 15 steps between -max and max of 32 values
        step = source.weight.float().view(N, -1, 32).abs().amax(-1, keepdim=True) / 7
        error = (layer.unpacked() - source.weight.float()).view(N, -1, 32).abs()
        assert (error <= 0.51 * step).all()
    assert f"in_features={K}, out_features={N}" in repr(layer)


def test_from_codes():
    codes = torch.randint(0, 16, (K, N), dtype=torch.uint8)
    scales, zeros = torch.rand(K // 32, N).half(), torch.randint(0, 17, (K // 32, N), dtype=torch.uint8)
    layer = Linear.from_packed(pack(codes, scales=scales, zeros=zeros, group_size=32), torch.ones(N))
    assert not layer.bias.requires_grad
    groups = torch.arange(K) // 32
    exact = (codes.double() - zeros[groups]) * scales[groups].double()
    x = torch.randn(2, K)
    check(layer(x), x, exact.T, layer.bias)


@torch.no_grad()
def test_state_dict_round_trip():
    source, layer = make()
    x = torch.randn(2, K)
    saved = io.BytesIO()
    torch.save(layer.state_dict(), saved)
    saved.seek(0)
    state = torch.load(saved)
    assert set(state) == {"packed", "bias"}
    for assign in (False, True):
        waiting = Linear(K, N)
        waiting.load_state_dict(state, assign=assign)
        assert torch.equal(waiting(x), layer(x))
        other = make(group_size=128, sparsity="select_24")[1]  # of another size, sparse
        other.load_state_dict(state, assign=assign)
        assert torch.equal(other(x), layer(x)) and not other.sparse


@torch.no_grad()
def test_state_dict_arranged_for_another_device():
    """As torch.load with map_location="cpu" reads the state dict of a model on a GPU."""
    _, layer = make()
    state = layer.state_dict() | {"packed": rearranged(layer.packed, "cuda")}
    waiting = Linear(K, N)
    waiting.load_state_dict(state)
    assert torch.equal(waiting.packed, layer.packed)
    assert torch.equal(Linear.from_packed(state["packed"]).packed, layer.packed)


def test_state_dict_is_not_shared():
    _, layer = make()
    state, other = layer.state_dict(), Linear(K, N)
    other.load_state_dict(state)
    assert other.packed.data_ptr() != layer.packed.data_ptr()


def test_state_dict_of_another_layer():
    _, layer = make()
    with pytest.raises(RuntimeError, match=f"packed weights have {K} input and {N} output features, expected 8 and"):
        Linear(8, N).load_state_dict(layer.state_dict())
    with pytest.raises(RuntimeError, match="Missing key.*packed"):
        Linear(K, N).load_state_dict({"bias": layer.bias})
    state = layer.state_dict()
    state["packed"] = state["packed"].clone()
    state["packed"][1000] ^= 1
    with pytest.raises(RuntimeError, match="damaged"):
        Linear(K, N).load_state_dict(state)
    with pytest.raises(RuntimeError, match="Unexpected key.*weight"):
        Linear(K, N).load_state_dict(layer.state_dict() | {"weight": torch.ones(1)})


def test_no_weights_yet():
    with pytest.raises(libmarlin.Error, match="packed has 0 bytes, expected packed weights"):
        Linear(K, N)(torch.randn(1, K))


@torch.no_grad()
def test_copies():
    _, layer = make()
    x = torch.randn(2, K)
    expected = layer(x)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert other.packed.data_ptr() % 256 == 0 and other.packed.data_ptr() != layer.packed.data_ptr()
        assert torch.equal(other(x), expected)


@torch.no_grad()
def test_changes_of_type_are_the_bias_s():
    _, layer = make()
    expected = layer.packed.clone()
    for change in (layer.half, layer.bfloat16, layer.double, layer.float, lambda: layer.type(torch.float16)):
        change()
        assert layer.packed.dtype == torch.uint8 and torch.equal(layer.packed, expected)
    assert layer.bias.dtype == torch.float16
    x = torch.randn(2, K).half()
    check(layer(x), x, layer.unpacked(), layer.bias)


@torch.no_grad()
def test_meta_and_back():
    _, layer = make()
    state = layer.state_dict()
    with torch.device("meta"):
        waiting = Linear(K, N)
    assert waiting.packed.is_meta
    waiting.load_state_dict(state, assign=True)
    x = torch.randn(2, K)
    assert torch.equal(waiting(x), layer(x))


def test_gradients():
    _, layer = make()
    weight = layer.unpacked()
    x = torch.randn(3, 2, K, requires_grad=True)
    out = layer(x)
    grad = torch.randn_like(out)
    out.backward(grad)
    torch.testing.assert_close(x.grad, grad @ weight)
    torch.testing.assert_close(layer.bias.grad, grad.sum((0, 1)))
    frozen = Linear.from_packed(layer.packed, torch.zeros(N))
    assert not frozen(torch.randn(2, K)).requires_grad


@pytest.mark.gpu
@torch.no_grad()
@pytest.mark.parametrize("sparse", [False, True])
def test_moves_between_devices(sparse):
    _, layer = make("cuda", sparsity="select_24" if sparse else "dense")
    weight = layer.unpacked().cpu()
    x = torch.randn(2, K, device="cuda", dtype=torch.float16)
    expected, before = layer(x), layer.packed.clone()
    layer.cpu()
    assert torch.equal(layer.unpacked(), weight)
    check(layer(x.cpu()), x.cpu(), weight, layer.bias)
    state = layer.state_dict()
    layer.cuda()
    other = Linear(K, N, device="cuda", dtype=torch.float16)
    other.load_state_dict(state)
    for moved in (layer, other):
        check(moved(x), x, weight, moved.bias)
        if not sparse:  # a kept code that means zero is pruned on the way: other bytes, the same values
            assert torch.equal(moved.packed, before) and torch.equal(moved(x), expected)
