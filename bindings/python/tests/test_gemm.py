"""Multiplies against FP64: types, shapes, strides, bias, and everything that is refused."""

import numpy as np
import pytest
from oracle import check, from_bf16, to_bf16

import libmarlin


@pytest.fixture
def layer(handle, random):
    k, n = 200, 72
    w = random.standard_normal((k, n), np.float32)
    weights = handle.pack(w, group_size=64)
    return weights, np.asarray(handle.unpack(weights))


@pytest.mark.parametrize("m", [0, 1, 2, 7, 16, 65])
@pytest.mark.parametrize("kind", ["f16", "bf16", "f32"])
@pytest.mark.parametrize("out_kind", [None, "f16", "bf16", "f32"])
def test_types_and_rows(handle, layer, random, m, kind, out_kind):
    weights, w = layer
    values = random.standard_normal((m, 200), np.float32)
    a = {"f16": values.astype(np.float16), "bf16": to_bf16(values), "f32": values}[kind]
    exact_a = from_bf16(a) if kind == "bf16" else a
    c = handle.gemm(a, weights, dtype="bf16" if kind == "bf16" else None, out_dtype=out_kind)
    out_kind = out_kind or kind
    assert c.dtype == {"f16": np.float16, "bf16": np.uint16, "f32": np.float32}[out_kind]
    check(from_bf16(c) if out_kind == "bf16" else c, exact_a, w, kind=out_kind)


def test_vector_and_batches(handle, layer, random):
    weights, w = layer
    vector = random.standard_normal(200).astype(np.float32)
    c = handle.gemm(vector, weights)
    assert c.shape == (72,)
    check(c[None], vector[None], w)
    batch = random.standard_normal((2, 3, 200)).astype(np.float32)
    c = handle.gemm(batch, weights)
    assert c.shape == (2, 3, 72)
    check(c.reshape(6, 72), batch.reshape(6, 200), w)
    assert handle.gemm(batch[:, :0], weights).shape == (2, 0, 72)


@pytest.mark.parametrize("kind", ["f16", "f32"])
def test_bias(handle, layer, random, kind):
    weights, w = layer
    dtype = {"f16": np.float16, "f32": np.float32}[kind]
    a = random.standard_normal((3, 200)).astype(np.float32)
    bias = random.standard_normal(72).astype(dtype)
    check(handle.gemm(a, weights, bias=bias), a, w, bias=bias.astype(np.float64))
    bias = to_bf16(bias.astype(np.float32))
    check(handle.gemm(a, weights, bias=bias, bias_dtype="bf16"), a, w, bias=from_bf16(bias).astype(np.float64))


def test_rows_apart_stay_apart(handle, layer, random):
    weights, w = layer
    wide = random.standard_normal((5, 208)).astype(np.float32)
    wide[:, 200:] = np.nan  # beyond k: never read into a result
    out = np.full((5, 80), 7.0, np.float32)
    returned = handle.gemm(wide[:, :200], weights, out[:, :72])
    assert returned.base is out
    check(out[:, :72], wide[:, :200], w)
    assert (out[:, 72:] == 7.0).all()


def test_every_second_row(handle, layer, random):
    weights, w = layer
    a = random.standard_normal((6, 200)).astype(np.float32)
    check(handle.gemm(a[::2], weights), a[::2], w)


def test_out_of_another_type_and_read_only_input(handle, layer, random):
    weights, w = layer
    a = random.standard_normal((2, 200)).astype(np.float16)
    a.flags.writeable = False
    out = np.empty((2, 72), np.float32)
    assert handle.gemm(a, weights, out) is out
    check(out, a, w)


def test_nan_stays_in_its_row(handle, layer, random):
    weights, w = layer
    a = random.standard_normal((3, 200)).astype(np.float32)
    a[1, 17] = np.nan
    c = handle.gemm(a, weights)
    assert np.isnan(c[1]).all()
    check(c[[0, 2]], a[[0, 2]], w)


def test_sparse(handle, random):
    w = random.standard_normal((128, 64)).astype(np.float32)
    weights = handle.pack(w, group_size=32, sparsity="select_24")
    assert weights.sparse
    values = np.asarray(handle.unpack(weights))
    assert ((values.reshape(32, 4, 64) != 0).sum(axis=1) <= 2).all()
    a = random.standard_normal((3, 128)).astype(np.float32)
    check(handle.sp_gemm(a, weights), a, values)
    with pytest.raises(libmarlin.Error) as error:
        handle.gemm(a, weights)
    assert error.value.status is libmarlin.Status.INVALID_ARGUMENT


def test_query(handle, layer):
    weights, _ = layer
    info = handle.query(weights, 3, dtype="f32", out_dtype="f16")
    assert isinstance(info, libmarlin.GemmInfo)
    assert info.kernel.startswith("cpu_") and info.kernel_number > 0 and info.workspace_size >= 0
    with pytest.raises(libmarlin.Error, match="lda is 5"):
        handle.query(weights, 3, lda=5)
    with pytest.raises(TypeError, match="expected libmarlin.Weights"):
        handle.query(None, 3)


ERROR = libmarlin.Error
A = np.ones((2, 200), np.float32)
REFUSED = {
    "columns": ({"a": A[:, :199]}, ERROR, r"a has shape \(2, 199\), expected \(\.\.\., 200\)"),
    "scalar": ({"a": np.float32(1)}, ERROR, r"a has shape \(\), expected"),
    "inner stride": ({"a": np.ones((2, 400), np.float32)[:, ::2]}, ERROR, "stride 2 along its last axis"),
    "transposed": ({"a": np.ones((200, 2), np.float32).T}, ERROR, "stride 2 along its last axis"),
    "reversed rows": ({"a": A[::-1]}, ERROR, "a has -200 elements between rows"),
    "one row many times": ({"a": np.broadcast_to(A[:1], (4, 200))}, ERROR, "a has 0 elements between rows"),
    "uneven rows": (
        {"a": np.ones((2, 4, 200), np.float32)[:, :3]},
        ERROR,
        "expected rows at one distance",
    ),
    "double": ({"a": A.astype(np.float64)}, TypeError, "a has elements of type float64"),
    "integers": ({"a": A.astype(np.uint16)}, TypeError, 'dtype="bf16"'),
    "no array": ({"a": [1.0]}, TypeError, "a is of type list, expected an array"),
    "weights": ({"weights": A}, TypeError, "weights is of type ndarray, expected libmarlin.Weights"),
    "dtype": ({"dtype": "f17"}, ERROR, "dtype of a is 'f17', expected one of"),
    "dtype of codes": ({"dtype": "s4"}, ERROR, "dtype of a is s4, expected f16, bf16 or f32"),
    "dtype does not fit": ({"dtype": "f16"}, TypeError, "a has elements of type float32, expected f16"),
    "out shape": ({"out": np.empty((2, 71), np.float32)}, ERROR, r"out has shape \(2, 71\), expected \(2, 72\)"),
    "out read-only": ({"out": np.broadcast_to(np.float32(0), (2, 72))}, ERROR, "out is read-only"),
    "out type": ({"out": np.empty((2, 72), np.float64)}, TypeError, "out has elements of type float64"),
    "out dtype": ({"out": np.empty((2, 72), np.float32), "out_dtype": "f16"}, TypeError, "expected f16"),
    "out stride": ({"out": np.empty((2, 144), np.float32)[:, ::2]}, ERROR, "out has stride 2"),
    "bias shape": ({"bias": np.ones(71, np.float32)}, ERROR, r"bias has shape \(71,\)"),
    "bias gaps": ({"bias": np.ones(144, np.float32)[::2]}, ERROR, "strides"),
    "bias type": ({"bias": np.ones(72)}, TypeError, "bias has elements of type float64"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(handle, layer, case):
    changes, kind, words = REFUSED[case]
    arguments = {"a": A, "weights": layer[0]} | changes
    with pytest.raises(kind, match=words) as error:
        handle.gemm(**arguments)
    if kind is libmarlin.Error:
        assert error.value.status is libmarlin.Status.INVALID_ARGUMENT
    handle.gemm(A, layer[0])


def test_overlap_is_refused_by_the_library(handle, random):
    weights = handle.pack(random.standard_normal((64, 64)).astype(np.float32), group_size=64)
    both = np.ones((4, 64), np.float32)
    with pytest.raises(libmarlin.Error) as error:
        handle.gemm(both[:2], weights, both[1:3])
    assert error.value.status is libmarlin.Status.INVALID_ARGUMENT
    assert str(error.value) == handle.last_error
    assert (both == 1).all()


def test_same_bits_every_run(handle, layer, random):
    weights, _ = layer
    a = random.standard_normal((5, 200)).astype(np.float16)
    first = handle.gemm(a, weights)
    for _ in range(50):
        assert handle.gemm(a, weights).tobytes() == first.tobytes()
    with libmarlin.Handle("cpu", num_threads=1) as single:
        assert single.gemm(a, weights).tobytes() == first.tobytes()
