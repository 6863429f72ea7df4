"""Packing every source against its own definition, and the way back."""

import numpy as np
import pytest
from oracle import check, from_bf16, to_bf16

import libmarlin

AWQ_COLUMNS = [0, 2, 4, 6, 1, 3, 5, 7]


def words(codes, axis, columns=range(8)):
    """Pack eight codes to a 32-bit word along an axis, padded with zeros; nibble i holds element columns[i]."""
    codes = np.moveaxis(np.asarray(codes, np.uint32), axis, 0)
    codes = np.concatenate([codes, np.zeros((-len(codes) % 8, *codes.shape[1:]), np.uint32)])
    eights = codes.reshape(-1, 8, *codes.shape[1:])
    packed = sum(eights[:, column] << np.uint32(4 * nibble) for nibble, column in enumerate(columns))
    return np.ascontiguousarray(np.moveaxis(packed, 0, axis)).view(np.int32)


def spread(groups, k, group):
    """Repeat a (groups, n) array for every row."""
    return np.repeat(groups, group, axis=0)[:k].astype(np.float64)


@pytest.fixture
def source(random):
    """Return k, n, group, codes 0..15, scales and zero points."""
    k, n, group = 160, 40, 64
    groups = -(-k // group)
    scales = random.uniform(0.01, 0.1, (groups, n)).astype(np.float16)
    zeros = random.integers(0, 16, (groups, n)).astype(np.uint8)
    return k, n, group, random.integers(0, 16, (k, n)).astype(np.uint8), scales, zeros


def same(handle, weights, expected):
    got = np.asarray(handle.unpack(weights))
    np.testing.assert_allclose(got, expected, rtol=2.0**-23, atol=0)
    a = np.random.default_rng(0).standard_normal((3, weights.k), np.float32)
    check(handle.gemm(a, weights), a, expected)


@pytest.mark.parametrize("order", ["kxn", "nxk"])
@pytest.mark.parametrize("group", [32, 64, 128, libmarlin.PER_COLUMN])
@pytest.mark.parametrize("dtype", ["f16", "bf16", "f32"])
def test_values_are_rounded_to_the_nearest_code(handle, random, order, group, dtype):
    k, n = 96, 33
    w = random.standard_normal((k, n)).astype(np.float32)
    src = {"f16": w.astype(np.float16), "bf16": to_bf16(w), "f32": w}[dtype]
    w = from_bf16(src) if dtype == "bf16" else src.astype(np.float32)
    if order == "nxk":
        src = np.ascontiguousarray(src.T)
    weights = handle.pack(src, order=order, group_size=group, dtype="bf16" if dtype == "bf16" else None)
    assert (weights.k, weights.n, weights.group_size) == (k, n, group)
    assert weights.type is libmarlin.Type.S4 and weights.zero_type is libmarlin.Type.NONE
    got = np.asarray(handle.unpack(weights))
    step = k if group == libmarlin.PER_COLUMN else group
    for start in range(0, k, step):
        block = w[start : start + step]
        scale = (np.abs(block).max(axis=0) / 7).astype(np.float16).astype(np.float64)
        assert (np.abs(got[start : start + step] - block) <= scale * 0.5001 + 1e-6).all()
    np.testing.assert_array_equal(np.asarray(handle.unpack(weights, order="nxk")), got.T)


def test_least_squares_is_no_worse(handle, random):
    w = random.standard_normal((128, 64)).astype(np.float32)
    squares = [
        np.square(np.asarray(handle.unpack(handle.pack(w, scale_method=method))) - w).sum()
        for method in ("min_max", "least_squares")
    ]
    assert squares[1] < squares[0]


def test_importance_weighs_rounding(handle, random):
    w = random.standard_normal((128, 64)).astype(np.float32)
    importance = np.ones(128, np.float32)
    importance[:8] = 1000
    plain, weighed = (
        np.square(np.asarray(handle.unpack(handle.pack(w, scale_method="least_squares", importance=i))) - w)[:8].sum()
        for i in (None, importance)
    )
    assert weighed < plain


def test_signed_codes(handle, source):
    k, n, group, codes, scales, _ = source
    signed = codes.astype(np.int8) - 8
    weights = handle.pack(signed, scales=scales, group_size=group)
    assert weights.type is libmarlin.Type.S4
    same(handle, weights, signed * spread(scales, k, group))
    np.testing.assert_array_equal(np.asarray(handle.unpack(weights, dtype="s4")), signed)


@pytest.mark.parametrize("order", ["kxn", "nxk"])
def test_unsigned_codes_with_zero_points(handle, source, order):
    k, n, group, codes, scales, zeros = source
    zeros[0, 0] = 16
    expected = (codes - spread(zeros, k, group)) * spread(scales, k, group)
    turn = (lambda x: np.ascontiguousarray(x.T)) if order == "nxk" else (lambda x: x)
    weights = handle.pack(turn(codes), order=order, scales=turn(scales), zeros=turn(zeros), group_size=group)
    assert weights.zero_type is libmarlin.Type.U8
    same(handle, weights, expected)
    got_scales = np.zeros((weights.groups, n), np.float16)
    got_zeros = np.zeros((weights.groups, n), np.uint8)
    got = np.zeros((k, n), np.uint8)
    assert handle.unpack(weights, got, scales=got_scales, zeros=got_zeros) is got
    np.testing.assert_array_equal(got, codes)
    np.testing.assert_array_equal(got_scales[: len(scales)], scales)
    np.testing.assert_array_equal(got_zeros[: len(zeros)], zeros)


@pytest.mark.parametrize("zero_type", ["f16", "f32"])
def test_offsets_are_kept_exactly(handle, source, random, zero_type):
    k, n, group, codes, scales, _ = source
    offsets = random.standard_normal(scales.shape).astype({"f16": np.float16, "f32": np.float32}[zero_type])
    weights = handle.pack(codes, scales=scales, zeros=offsets, group_size=group)
    assert weights.zero_type.name.lower() == zero_type
    same(handle, weights, codes * spread(scales, k, group) + spread(offsets, k, group))


def test_bf16_scales_and_offsets(handle, source, random):
    k, n, group, codes, scales, _ = source
    scales = to_bf16(scales.astype(np.float32))
    offsets = to_bf16(random.standard_normal(scales.shape).astype(np.float32))
    weights = handle.pack(
        codes,
        scales=scales,
        scales_dtype="bf16",
        zeros=offsets,
        zeros_dtype="bf16",
        group_size=group,
        scale_type="bf16",
    )
    assert weights.scale_type is libmarlin.Type.BF16 and weights.zero_type is libmarlin.Type.BF16
    same(handle, weights, codes * spread(from_bf16(scales), k, group) + spread(from_bf16(offsets), k, group))


def test_rows_of_the_source_may_be_apart(handle, random):
    w = random.standard_normal((64, 48)).astype(np.float32)
    assert handle.pack(w[:, :40], group_size=32).tobytes() == handle.pack(w[:, :40].copy(), group_size=32).tobytes()


@pytest.mark.parametrize("version", ["gptq_v1", "gptq_v2"])
@pytest.mark.parametrize("with_zeros", [True, False])
def test_gptq(handle, source, version, with_zeros):
    k, n, group, codes, scales, zeros = source
    stored = words(zeros, 1) if with_zeros else None
    weights = handle.pack(words(codes, 0), source=version, scales=scales, zeros=stored, group_size=group)
    assert (weights.k, weights.n) == (k, n)
    points = zeros + (version == "gptq_v1") if with_zeros else np.full_like(zeros, 8)
    same(handle, weights, (codes - spread(points, k, group)) * spread(scales, k, group))


def test_gptq_act_order(handle, source, random):
    k, n, group, codes, scales, zeros = source
    g_idx = random.permutation(np.arange(k) // group).astype(np.int32)
    weights = handle.pack(
        words(codes, 0), source="gptq_v2", scales=scales, zeros=words(zeros, 1), group_size=group, g_idx=g_idx
    )
    same(handle, weights, (codes - zeros[g_idx].astype(np.float64)) * scales[g_idx].astype(np.float64))


def test_awq(handle, source):
    k, n, group, codes, scales, zeros = source
    weights = handle.pack(
        words(codes, 1, AWQ_COLUMNS), source="awq", scales=scales, zeros=words(zeros, 1, AWQ_COLUMNS), group_size=group
    )
    assert (weights.k, weights.n) == (k, n)
    same(handle, weights, (codes - spread(zeros, k, group)) * spread(scales, k, group))


def test_compressed_tensors_with_sizes_that_words_do_not_say(handle, random):
    k, n, group = 70, 13, 32
    codes = random.integers(0, 16, (k, n)).astype(np.uint8)
    scales = random.uniform(0.01, 0.1, (3, n)).astype(np.float16)
    zeros = random.integers(0, 16, (3, n)).astype(np.uint8)
    weights = handle.pack(
        words(codes.T, 1), source="compressed_tensors", scales=np.ascontiguousarray(scales.T),
        zeros=words(zeros.T, 0), group_size=group, k=k,
    )  # fmt: skip
    assert (weights.k, weights.n) == (k, n)
    same(handle, weights, (codes - spread(zeros, k, group)) * spread(scales, k, group))


@pytest.mark.parametrize("group", [128, libmarlin.PER_COLUMN])
def test_legacy_marlin(handle, random, group):
    # B[k / 16][...] and s as IST-DASLab/marlin's marlin/__init__.py arranges them, in closed form.
    k, n = 256, 128
    groups = 1 if group == libmarlin.PER_COLUMN else k // group
    codes = random.integers(0, 16, (k, n)).astype(np.uint32)
    scales = random.uniform(0.01, 0.1, (groups, n)).astype(np.float16)
    row, column = np.meshgrid(np.arange(k), np.arange(n), indexing="ij")
    r, c = row % 16, column % 16
    word = column // 64 * 128 + 4 * (4 * (c % 8) + r % 8 // 2) + column % 64 // 16
    nibble = np.array([0, 4, 1, 5, 2, 6, 3, 7])[4 * (c // 8) + 2 * (r // 8) + r % 2]
    stored = np.zeros((k // 16, 2 * n), np.uint32)
    np.add.at(stored, (row // 16, word), codes << (4 * nibble).astype(np.uint32))
    if groups == 1:
        order = [2 * i + x for i in range(4) for x in (0, 1, 8, 9, 16, 17, 24, 25)]
    else:
        order = [i + 8 * j for i in range(8) for j in range(8)]
    arranged = np.ascontiguousarray(scales.reshape(groups, -1, len(order))[:, :, order].reshape(groups, n))
    weights = handle.pack(stored, source="marlin", scales=arranged, group_size=group)
    assert weights.shape == (k, n)
    same(handle, weights, (codes - 8.0) * spread(scales, k, k // groups))


def test_one_scale_a_column_may_be_a_vector(handle, source):
    k, n, _, codes, scales, _ = source
    signed = codes.astype(np.int8) - 8
    weights = handle.pack(signed, scales=scales[0], group_size=libmarlin.PER_COLUMN)
    same(handle, weights, signed * scales[:1].astype(np.float64))
    assert weights.groups == 1


@pytest.mark.parametrize("layout", ["dense", "cpu_draft"])
def test_layouts(handle, random, layout):
    w = random.standard_normal((64, 64)).astype(np.float32)
    weights = handle.pack(w, group_size=32, layout=layout)
    assert weights.layout is libmarlin.Layout[layout.upper()]
    np.testing.assert_array_equal(
        np.asarray(handle.unpack(weights)), np.asarray(handle.unpack(handle.pack(w, group_size=32)))
    )


def test_sparse_sources(handle, random):
    w = random.standard_normal((64, 32)).astype(np.float32)
    with pytest.raises(libmarlin.Error) as error:
        handle.pack(w, group_size=32, sparsity="already_24")
    assert error.value.status is libmarlin.Status.NOT_SPARSE
    selected = np.asarray(handle.unpack(handle.pack(w, group_size=32, sparsity="select_24")))
    again = handle.pack(np.where(selected, w, 0), group_size=32, sparsity="already_24")
    assert again.sparse
    np.testing.assert_array_equal(np.asarray(handle.unpack(again)), selected)


def test_pack_size_and_own_memory(handle, random):
    w = random.standard_normal((100, 50)).astype(np.float32)
    size = handle.pack_size(100, 50, group_size=32)
    weights = handle.pack(w, group_size=32)
    assert weights.size <= size
    raw = np.zeros(size + 256, np.uint8)
    start = -raw.ctypes.data % 256
    own = handle.pack(w, group_size=32, packed=raw[start : start + size])
    assert own.tobytes() == weights.tobytes() == raw[start : start + own.size].tobytes()
    sizes = []
    made = handle.pack(w, group_size=32, packed=lambda size: sizes.append(size) or raw[start : start + size])
    assert sizes == [size] and made.tobytes() == weights.tobytes()
    with pytest.raises(libmarlin.Error, match="expected a multiple of 256"):
        handle.pack(w, group_size=32, packed=raw[start + 1 : start + 1 + size])
    with pytest.raises(libmarlin.Error) as error:
        handle.pack(w, group_size=32, packed=raw[start : start + size - 1])
    assert error.value.status is libmarlin.Status.INVALID_ARGUMENT
    with pytest.raises(libmarlin.Error, match="group_size"):
        handle.pack_size(100, 50, group_size=48)


def test_unpack_types_and_strides(handle, random):
    w = random.standard_normal((40, 24)).astype(np.float32)
    weights = handle.pack(w, group_size=32)
    values = np.asarray(handle.unpack(weights))
    half = np.asarray(handle.unpack(weights, dtype="f16")).view(np.float16)
    np.testing.assert_array_equal(half, values.astype(np.float16))
    np.testing.assert_array_equal(np.asarray(handle.unpack(weights, dtype="bf16")), to_bf16(values))
    wide = np.full((40, 30), 9, np.float32)
    handle.unpack(weights, wide[:, :24])
    np.testing.assert_array_equal(wide[:, :24], values)
    assert (wide[:, 24:] == 9).all()


def test_column_scales_are_kept(handle):
    plain = handle.pack(np.ones((64, 16), np.float32), group_size=32)
    scaled = handle.pack(np.ones((64, 16), np.float32), group_size=32, column_scales=np.arange(1, 17, dtype=np.float32))
    assert scaled.size > plain.size
