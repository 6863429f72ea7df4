"""Replacing the nn.Linear layers of a model, and rearranging packed bytes for another kind of device."""

import pytest
import torch
from bounds import check

import libmarlin
from libmarlin.torch import Linear, move, pack, replace_linears, unpack
from libmarlin.torch._packed import rearranged


class Special(torch.nn.Linear):
    """A subclass that may do more than multiply."""


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(50, 64)
        self.blocks = torch.nn.ModuleList(
            torch.nn.Sequential(torch.nn.Linear(64, 128), torch.nn.GELU(), torch.nn.Linear(128, 64)) for _ in range(2)
        )
        self.again = self.blocks[0][0]  # the same layer, used twice
        self.special = Special(64, 64)
        self.head = torch.nn.Linear(64, 50, bias=False)

    def forward(self, tokens):
        x = self.embedding(tokens)
        for block in self.blocks:
            x = x + block(x)
        return self.head(self.special(x)) + self.again(x).sum()


@torch.no_grad()
def test_replace():
    model, tokens = Model().eval(), torch.arange(20).view(2, 10)
    before = model(tokens)
    seen = []
    names = replace_linears(
        model, lambda name, layer: name != "head", progress=lambda *said: seen.append(said), group_size=64
    )
    assert names == ["blocks.0.0", "blocks.0.2", "blocks.1.0", "blocks.1.2"]
    assert seen == [(i + 1, 4, name) for i, name in enumerate(names)]
    assert model.again is model.blocks[0][0] and isinstance(model.again, Linear) and not model.again.training
    assert type(model.head) is torch.nn.Linear and type(model.special) is Special
    after = model(tokens)
    assert (after - before).norm() < 0.2 * before.norm()

    # The same model whose layers hold what the packed ones stand for.
    plain = Model().eval()
    for name in names:
        packed = model.get_submodule(name)
        layer = plain.get_submodule(name)
        layer.weight.copy_(packed.unpacked())
        layer.bias.copy_(packed.bias)
    for name in ("embedding", "special", "head"):
        plain.get_submodule(name).load_state_dict(model.get_submodule(name).state_dict())
    torch.testing.assert_close(after, plain(tokens), rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_load_a_quantised_model():
    model, tokens = Model(), torch.arange(20).view(2, 10)
    replace_linears(model, group_size=32, scale_method="least_squares")
    with torch.device("meta"):
        waiting = Model()
    replace_linears(waiting, empty=True)
    waiting.load_state_dict(model.state_dict(), assign=True)
    assert torch.equal(waiting(tokens), model(tokens))


def test_errors_name_the_layer():
    model = Model()
    with torch.no_grad():
        model.blocks[1][2].weight[5, 3] = float("nan")
    with pytest.raises(libmarlin.Error, match=r"^blocks\.1\.2: src: the value of row 3, column 5 is nan") as error:
        replace_linears(model)
    assert error.value.status is libmarlin.Status.INVALID_ARGUMENT
    with pytest.raises(TypeError, match="use Linear.from_linear"):
        replace_linears(torch.nn.Linear(8, 8))


K, N = 328, 72
KINDS = {
    "s4": {"group_size": 128},
    "s4 of one group a column": {"group_size": -1},
    "s4 with BF16 scales": {"group_size": 32, "scale_type": "bf16"},
    "u4": {"group_size": 64, "type": "u4"},
    "u4 with offsets": {"group_size": 32, "type": "u4", "zero_type": "f16"},
    "2:4 of s4": {"group_size": 64, "sparsity": "select_24"},
    "2:4 of u4": {"group_size": 32, "type": "u4", "sparsity": "select_24"},
}


def there_and_back(packed):
    """Rearrange for CUDA and for the CPU again."""
    for_cuda = rearranged(packed, "cuda")
    assert rearranged(for_cuda, "cuda") is for_cuda
    values = unpack(packed, K, N, torch.float32)
    assert torch.equal(unpack(for_cuda, K, N, torch.float32), values)
    again = rearranged(for_cuda, "cpu")
    assert torch.equal(unpack(again, K, N, torch.float32), values)
    return for_cuda, again


@pytest.mark.parametrize("kind", KINDS)
def test_rearranged(kind):
    src = torch.randn(K, N)
    packed = pack(src, **KINDS[kind])
    for_cuda, again = there_and_back(packed)
    if "sparsity" in KINDS[kind]:
        return  # a kept code that means zero is pruned on the way: other bytes, the same values
    assert torch.equal(again, packed)
    with libmarlin.Handle("cpu") as handle:  # the same bytes as if packed for CUDA at once
        direct = handle.pack(src, layout="dense", **KINDS[kind])
        assert for_cuda.numpy().tobytes() == direct.tobytes()


def test_rearranged_act_order():
    g_idx = (5 * torch.arange(K) % 6).to(torch.int32)
    codes, scales = torch.randint(-8, 8, (K, N), dtype=torch.int8), torch.rand(6, N)
    packed = pack(codes, scales=scales, g_idx=g_idx, group_size=64)
    again = there_and_back(packed)[1]
    assert torch.equal(again, packed)
    x = torch.randn(3, K)
    check(torch.ops.libmarlin.gemm(x, again, N), x, (codes * scales.half().double()[g_idx.long()]).T)


def test_rearranged_act_order_of_uneven_groups():
    g_idx = torch.arange(K, dtype=torch.int32) * 6 // K  # 54 or 55 of 64
    g_idx[g_idx == 3] = 5  # nobody in group 3, more than 64 in group 5
    g_idx = g_idx.flip(0).contiguous()
    packed = pack(torch.randint(-8, 8, (K, N), dtype=torch.int8), scales=torch.rand(6, N), g_idx=g_idx, group_size=64)
    there_and_back(packed)


def test_what_cannot_be_rearranged():
    offsets = pack(torch.randn(K, N), group_size=32, type="u4", zero_type="f16", sparsity="select_24")
    with pytest.raises(libmarlin.Error) as error:
        rearranged(offsets, "cuda")
    assert error.value.status is libmarlin.Status.NOT_SUPPORTED
    ordered = pack(torch.randn(K, N), group_size=64, g_idx=torch.randint(0, 6, (K,), dtype=torch.int32),
                   sparsity="select_24")  # fmt: skip
    with pytest.raises(libmarlin.Error, match="act-order and 2:4 sparsity"):
        rearranged(ordered, "cuda")
    with pytest.raises(libmarlin.Error, match="device is meta, expected cpu or cuda"):
        move(offsets, "meta")


def test_move_to_the_same_device():
    packed = pack(torch.randn(K, N))
    assert move(packed, "cpu") is packed
