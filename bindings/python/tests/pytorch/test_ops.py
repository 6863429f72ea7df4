"""The operators: numbers, PyTorch's own checks of an operator, and refusals."""

import gc

import pytest
import torch
from bounds import CUDA_OR_CPU_TYPES, DEVICES, check, default_type
from torch.library import opcheck

import libmarlin
import libmarlin.torch as marlin_torch

K, N = 200, 72


def layer(device, **options):
    weight = torch.randn(N, K, device=device)
    return marlin_torch.pack(weight, order="nxk", **({"group_size": 64} | options))


def operator(sparse):
    return torch.ops.libmarlin.sp_gemm if sparse else torch.ops.libmarlin.gemm


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize(("device", "dtype"), CUDA_OR_CPU_TYPES)
def test_numbers(device, dtype, sparse):
    packed = layer(device, sparsity="select_24" if sparse else "dense")
    weight = marlin_torch.unpack(packed, K, N, torch.float32)
    bias = torch.randn(N, device=device)
    for shape in [(K,), (0, K), (1, K), (2, 3, K), (65, K)]:
        x = torch.randn(shape, device=device, dtype=dtype)
        check(operator(sparse)(x, packed, N), x, weight)
        out = operator(sparse)(x, packed, N, bias, torch.float32)
        assert out.dtype == torch.float32 and out.is_contiguous()
        check(out, x, weight, bias)


@pytest.mark.parametrize("device", DEVICES)
def test_any_strides(device):
    packed = layer(device)
    weight = marlin_torch.unpack(packed, K, N, torch.float32)
    wide = torch.randn(6, 2 * K, device=device, dtype=default_type(device))
    for x in (wide[:, :K], wide[::2, K:], wide[:, ::2], wide.T[:K, :6].T, wide.view(6, 2, K).transpose(0, 1)):
        check(torch.ops.libmarlin.gemm(x, packed, N), x, weight)


@pytest.mark.parametrize("device", DEVICES)
def test_opcheck(device):
    dtype = default_type(device)
    packed, pruned = layer(device), layer(device, sparsity="select_24")
    bias = torch.randn(N, device=device, dtype=dtype)
    x = torch.randn(2, 3, K, device=device, dtype=dtype)
    for arguments in [(x, packed, N), (x, packed, N, bias), (x[0, ::2], packed, N, bias, torch.float32)]:
        opcheck(torch.ops.libmarlin.gemm.default, arguments)
    opcheck(torch.ops.libmarlin.sp_gemm.default, (x, pruned, N, bias))
    opcheck(torch.ops.libmarlin.unpack.default, (packed, K, N, dtype))


def test_fake_tensors_need_no_weights():
    x = torch.empty(5, 7, K, dtype=torch.bfloat16, device="meta")
    packed = torch.empty(1000, dtype=torch.uint8, device="meta")
    out = torch.ops.libmarlin.gemm(x, packed, N)
    assert out.is_meta and out.shape == (5, 7, N) and out.dtype == torch.bfloat16
    assert torch.ops.libmarlin.gemm(x, packed, N, None, torch.float32).dtype == torch.float32
    assert torch.ops.libmarlin.unpack(packed, K, N, torch.float16).shape == (N, K)


def test_threads_follow_pytorch():
    packed, x = layer("cpu"), torch.randn(3, K)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = torch.ops.libmarlin.gemm(x, packed, N)
        torch.set_num_threads(2)
        assert torch.equal(torch.ops.libmarlin.gemm(x, packed, N), one)
    finally:
        torch.set_num_threads(before)


def test_memory_used_again_is_read_again():
    """Other weights at the address of freed ones, or written over them, are not taken for the old ones."""
    x = torch.randn(1, K)
    memory = torch.empty(1 << 16, dtype=torch.uint8)
    offset = -memory.data_ptr() % 256
    for seed in range(4):
        torch.manual_seed(seed)
        packed = layer("cpu", group_size=32 if seed % 2 else 64)
        place = memory[offset : offset + packed.numel()]
        place.copy_(packed)
        check(torch.ops.libmarlin.gemm(x, place, N), x, marlin_torch.unpack(packed, K, N, torch.float32))
    for seed in range(4):
        torch.manual_seed(seed)
        packed = layer("cpu", group_size=32 if seed % 2 else 64).clone()
        check(torch.ops.libmarlin.gemm(x, packed, N), x, marlin_torch.unpack(packed, K, N, torch.float32))
        del packed
        gc.collect()


def test_weights_do_not_keep_memory_alive():
    from torch.multiprocessing.reductions import StorageWeakRef

    packed = layer("cpu")
    torch.ops.libmarlin.gemm(torch.randn(1, K), packed, N)
    storage = StorageWeakRef(packed.untyped_storage())
    del packed
    gc.collect()
    assert storage.expired()


def test_inference_mode():
    with torch.inference_mode():
        packed, x = layer("cpu"), torch.randn(2, K)
        check(torch.ops.libmarlin.gemm(x, packed, N), x, marlin_torch.unpack(packed, K, N, torch.float32))


def test_any_address_is_right():
    packed = layer("cpu")
    x = torch.randn(2, K)
    shifted = torch.cat([torch.zeros(1, dtype=torch.uint8), packed])[1:]
    assert torch.equal(torch.ops.libmarlin.gemm(x, shifted, N), torch.ops.libmarlin.gemm(x, packed, N))


X = torch.randn(2, K)
REFUSED = {
    "columns": ({"a": X[:, 1:]}, libmarlin.Error, r"a has shape \(2, 199\), expected \(\.\.\., 200\)"),
    "scalar": ({"a": torch.tensor(1.0)}, libmarlin.Error, r"a has shape \(\), expected"),
    "n": ({"n": 71}, libmarlin.Error, "n is 71, expected 72"),
    "double": ({"a": X.double()}, TypeError, "a has elements of type float64"),
    "out type": ({"out_dtype": torch.int32}, TypeError, "out has elements of type int32"),
    "bias shape": ({"bias": torch.ones(71)}, libmarlin.Error, r"bias has shape \(71,\)"),
    "bias gaps": ({"bias": torch.ones(144)[::2]}, libmarlin.Error, "without gaps"),
    "bias type": ({"bias": torch.ones(72, dtype=torch.int8)}, TypeError, "bias has elements of type int8"),
    "no bytes": ({"weights": torch.ones(10)}, libmarlin.Error, "expected packed bytes"),
    "short": ({"weights": torch.ones(10, dtype=torch.uint8)}, libmarlin.Error, "packed_size is 10, expected at least"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case):
    changes, kind, words = REFUSED[case]
    good = {"a": X, "weights": layer("cpu"), "n": N, "bias": None, "out_dtype": None}
    with pytest.raises(kind, match=words):
        torch.ops.libmarlin.gemm(**(good | changes))
    torch.ops.libmarlin.gemm(**good)


def test_the_library_refuses_in_its_own_words():
    with pytest.raises(libmarlin.Error, match="b is dense, expected 2:4 sparse weights: call marlin_gemm") as error:
        torch.ops.libmarlin.sp_gemm(X, layer("cpu"), N)
    assert error.value.status is libmarlin.Status.INVALID_ARGUMENT


def test_damaged_bytes_are_refused():
    packed = layer("cpu")
    packed[300] ^= 1
    with pytest.raises(libmarlin.Error, match="damaged") as error:
        torch.ops.libmarlin.gemm(X, packed, N)
    assert error.value.status is libmarlin.Status.BAD_PACKED_DATA
