"""Packed weights as files and memory: saved, mapped, damaged, kept alive."""

import gc
import mmap

import numpy as np
import pytest

import libmarlin

BAD = libmarlin.Status.BAD_PACKED_DATA


@pytest.fixture
def weights(handle, random):
    return handle.pack(random.standard_normal((96, 40)).astype(np.float32), group_size=32)


def test_attributes(weights):
    assert weights.shape == (96, 40) and weights.group_size == 32
    assert weights.device is libmarlin.Device.CPU and not weights.sparse
    assert weights.layout is libmarlin.Layout.CPU_DRAFT
    assert weights.size == len(weights.tobytes()) == weights.data.nbytes
    assert weights.groups * 32 == weights.k_packed >= 96
    assert "k=96 n=40 group=32" in repr(weights)


def test_packed_bytes_cannot_be_written(weights):
    with pytest.raises(TypeError):
        weights.data[0] = 0


def test_save_and_load(handle, weights, tmp_path, random):
    path = tmp_path / "layer.marlin"
    weights.save(path)
    weights.save(path)  # over an older one
    assert [entry.name for entry in tmp_path.iterdir()] == ["layer.marlin"]
    loaded = libmarlin.Weights.load(path, handle)
    a = random.standard_normal((2, 96)).astype(np.float32)
    expected = handle.gemm(a, weights)
    assert loaded.tobytes() == weights.tobytes() == path.read_bytes()
    with libmarlin.Handle("cpu") as other:  # weights belong to no handle
        assert other.gemm(a, loaded).tobytes() == expected.tobytes()


def test_save_fails_whole(weights, tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError):
        weights.save(tmp_path / "taken")
    with pytest.raises(OSError):
        weights.save(tmp_path / "missing" / "layer")
    assert [entry.name for entry in tmp_path.iterdir()] == ["taken"]


def damage(data, position):
    data = bytearray(data)
    data[position] ^= 1
    return bytes(data)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: b"",
        lambda data: data[:100],
        lambda data: data[:-1],
        lambda data: damage(data, 0),
        lambda data: damage(data, 40),
        lambda data: damage(data, len(data) // 2),
        lambda data: bytes(len(data)),
    ],
)
def test_damaged_files_are_refused(handle, weights, tmp_path, change):
    path = tmp_path / "damaged"
    path.write_bytes(change(weights.tobytes()))
    with pytest.raises(libmarlin.Error) as error:
        libmarlin.Weights.load(path, handle)
    assert error.value.status is BAD
    handle.gemm(np.ones((1, 96), np.float32), weights)


def test_missing_file(handle, tmp_path):
    with pytest.raises(FileNotFoundError):
        libmarlin.Weights.load(tmp_path / "none", handle)


def test_more_bytes_than_the_header_says(handle, weights, tmp_path):
    path = tmp_path / "longer"
    path.write_bytes(weights.tobytes() + bytes(100))
    assert libmarlin.Weights.load(path, handle).tobytes() == weights.tobytes()


def test_attach_where_the_bytes_lie(handle, weights):
    memory = mmap.mmap(-1, weights.size)
    memory[: weights.size] = weights.tobytes()
    attached = libmarlin.Weights.attach(memory, handle)
    with pytest.raises(BufferError):
        memory.close()  # in use
    assert attached.tobytes() == weights.tobytes()
    with pytest.raises(libmarlin.Error, match="packed has strides"):
        libmarlin.Weights.attach(np.zeros(8192, np.uint8)[::2], handle)


def test_weights_outlive_handle_and_source(random):
    with libmarlin.Handle("cpu") as first:
        weights = first.pack(random.standard_normal((64, 32)).astype(np.float32), group_size=32)
        a = np.ones((1, 64), np.float32)
        expected = first.gemm(a, weights)
    gc.collect()
    with libmarlin.Handle("cpu") as second:
        assert second.gemm(a, weights).tobytes() == expected.tobytes()


def test_linear(handle, weights, random):
    bias = random.standard_normal(40).astype(np.float32)
    layer = libmarlin.Linear(handle, weights, bias)
    assert (layer.in_features, layer.out_features) == (96, 40)
    x = random.standard_normal((2, 3, 96)).astype(np.float32)
    np.testing.assert_array_equal(layer(x), handle.gemm(x, weights, bias=bias))
    out = np.empty((2, 3, 40), np.float16)
    assert layer(x, out) is out
    np.testing.assert_array_equal(out, handle.gemm(x, weights, bias=bias, out_dtype="f16"))
    assert "bias=True" in repr(layer)
    sparse = handle.pack(random.standard_normal((64, 32)).astype(np.float32), group_size=32, sparsity="select_24")
    np.testing.assert_array_equal(libmarlin.Linear(handle, sparse)(x[..., :64]), handle.sp_gemm(x[..., :64], sparse))
    with pytest.raises(TypeError, match="expected libmarlin.Weights"):
        libmarlin.Linear(handle, None)
