"""Arrays of every kind: the buffer protocol, DLPack old and new, CUDA arrays, and what refuses itself."""

import array
import ctypes

import numpy as np
import pytest
from oracle import check, from_bf16, to_bf16

import libmarlin
from libmarlin import _arrays

K, N = 64, 32


@pytest.fixture
def layer(handle, random):
    weights = handle.pack(random.standard_normal((K, N)).astype(np.float32), group_size=32)
    return weights, np.asarray(handle.unpack(weights))


class Exporter:
    """A NumPy array seen through DLPack alone."""

    def __init__(self, values, versioned=True):
        self.values = values
        self.versioned = versioned

    def __dlpack_device__(self):
        return self.values.__dlpack_device__()

    def __dlpack__(self, **keywords):
        if not self.versioned and "max_version" in keywords:
            raise TypeError("unexpected keyword argument 'max_version'")
        return self.values.__dlpack__(**keywords)


class OnGpu:
    """An array that says it lies on a GPU; nothing may look at its address."""

    def __init__(self, shape=(1, K), typestr="<f4", strides=None):
        self.__cuda_array_interface__ = {
            "shape": shape,
            "typestr": typestr,
            "data": (0x1000, False),
            "strides": strides,
            "version": 3,
        }


class DlpackOnGpu:
    """An array that says it lies on a GPU and remembers for which stream it was asked."""

    def __dlpack_device__(self):
        return 2, 0

    def __dlpack__(self, *, stream=None, max_version=None):
        self.told = stream
        return np.ones((1, K), np.float32).__dlpack__()


@pytest.mark.parametrize("versioned", [True, False])
def test_dlpack_in_and_out(handle, layer, random, versioned):
    weights, w = layer
    a = random.standard_normal((3, K)).astype(np.float32)
    out = np.zeros((3, N), np.float32)
    given = Exporter(out, versioned)
    assert handle.gemm(Exporter(a, versioned), weights, given) is given
    check(out, a, w)


def test_dlpack_strides_and_read_only(handle, layer, random):
    weights, w = layer
    wide = random.standard_normal((6, K + 8)).astype(np.float32)
    check(handle.gemm(Exporter(wide[::2, :K]), weights), wide[::2, :K], w)
    fixed = np.zeros((1, N), np.float32)
    fixed.flags.writeable = False
    with pytest.raises(libmarlin.Error, match="out is read-only"):
        handle.gemm(np.ones((1, K), np.float32), weights, Exporter(fixed))


def test_dlpack_releases_its_memory(handle, layer):
    import weakref

    class Owned(np.ndarray):
        pass

    a = np.ones((1, K), np.float32).view(Owned)
    handle.gemm(Exporter(a), layer[0])
    watch = weakref.ref(a)
    del a
    assert watch() is None


def test_memory_is_kept_until_the_call_is_over():
    described = _arrays.describe(np.full(1000, 3.0, np.float32), "a")
    noise = [np.zeros(1000, np.float32) for _ in range(100)]
    values = (ctypes.c_float * 1000).from_address(described.address)
    assert all(value == 3.0 for value in values) and len(noise) == 100


def test_buffers_without_an_array_library(handle, layer, random):
    weights, w = layer
    values = random.standard_normal(K).astype(np.float32)
    c = handle.gemm(array.array("f", values), weights)
    assert isinstance(c, memoryview) and c.format == "f" and c.shape == (N,)
    check(np.asarray(c)[None], values[None], w)
    matrix = memoryview(array.array("f", values)).cast("B").cast("f", [1, K])
    half = handle.gemm(matrix, weights, out_dtype="f16")
    assert half.format == "H" and half.shape == (1, N)
    check(np.asarray(half).view(np.float16), values[None], w, kind="f16")
    out = (ctypes.c_float * N)()
    handle.gemm((ctypes.c_float * K)(*values), weights, out)
    check(np.asarray(out)[None], values[None], w)
    empty = handle.gemm(Exporter(np.ones((0, K), np.float32)), weights)
    assert len(empty) == 0


def test_a_class_of_its_own_gets_a_memoryview(handle, layer):
    assert isinstance(handle.gemm(Exporter(np.ones((1, K), np.float32)), layer[0]), memoryview)


def test_a_gpu_array_on_a_cpu_handle(handle, layer):
    weights, _ = layer
    host = np.ones((1, K), np.float32)
    with pytest.raises(libmarlin.Error, match="a lies on a CUDA device, expected host memory") as error:
        handle.gemm(OnGpu(), weights)
    assert error.value.status is libmarlin.Status.INVALID_ARGUMENT
    with pytest.raises(libmarlin.Error, match="out lies on a CUDA device"):
        handle.gemm(host, weights, OnGpu((1, N)))
    with pytest.raises(libmarlin.Error, match="bias lies on a CUDA device"):
        handle.gemm(host, weights, bias=OnGpu((N,)))
    with pytest.raises(libmarlin.Error, match="src lies on a CUDA device"):
        handle.pack(OnGpu((K, N)), group_size=32)
    with pytest.raises(libmarlin.Error, match="packed lies on a CUDA device"):
        libmarlin.Weights.attach(OnGpu((4096,), "|u1"), handle)
    with pytest.raises(libmarlin.Error, match="workspace lies on a CUDA device"):
        handle.set_workspace(OnGpu((4096,), "|u1"))


def test_a_host_array_on_a_cuda_handle_is_refused():
    host = _arrays.describe(np.ones(4, np.float32), "a")
    with pytest.raises(libmarlin.Error, match="a lies in host memory, expected memory of CUDA device 1"):
        _arrays.check_place(host, "a", True, 1)
    there = _arrays.describe(OnGpu(), "a")._replace(device_id=0)
    with pytest.raises(libmarlin.Error, match="a lies on CUDA device 0, expected 1"):
        _arrays.check_place(there, "a", True, 1)
    _arrays.check_place(there, "a", True, 0)


@pytest.mark.parametrize(("stream", "told"), [(0, 1), (0x7000, 0x7000)])
def test_dlpack_is_told_the_stream(stream, told):
    gpu = DlpackOnGpu()
    _arrays.describe(gpu, "a", stream)
    assert gpu.told == told


def test_cuda_array_interface_is_read():
    described = _arrays.describe(OnGpu((2, 3), "<f2", (16, 2)), "a")
    assert (described.shape, described.strides, described.kind_name) == ((2, 3), (8, 1), "float16")
    assert _arrays.describe(OnGpu((2, 3)), "a").strides == (3, 1)
    with pytest.raises(TypeError, match="'>f4'"):
        _arrays.describe(OnGpu(typestr=">f4"), "a")
    with pytest.raises(TypeError, match="multiples of the element size 4"):
        _arrays.describe(OnGpu((2, 3), strides=(13, 4)), "a")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.ones((1, K), ">f4"), "machine's byte order"),
        (np.ones((1, K), np.complex64), "one number"),
        (np.ones((1, K), [("x", "f4")]), "one number"),
        (np.ones((1, K), [("x", "f4"), ("y", "i1")])["x"], "multiples of the element size"),
        (np.ones((1, K), bool), "a has elements of type bool8"),
        ("text", "a is of type str, expected an array"),
        (None, "a is of type NoneType, expected an array"),
    ],
)
def test_what_is_no_matrix_of_numbers(handle, layer, value, words):
    with pytest.raises(TypeError, match=words):
        handle.gemm(value, layer[0])


def test_a_used_capsule_is_refused():
    class Once:
        def __dlpack_device__(self):
            return 1, 0

        def __dlpack__(self, **_):
            return object()

    with pytest.raises(TypeError, match="no unused DLPack capsule"):
        _arrays.describe(Once(), "a")


def test_contiguity():
    for shape in [(), (3,), (2, 3), (1, 3), (0, 3)]:
        assert _arrays.describe(np.ones(shape, np.float32), "a").is_contiguous
    for gaps in [np.ones(6)[::2], np.ones((3, 4))[:, :2], np.ones((3, 4)).T, np.broadcast_to(np.ones(1), (3,))]:
        assert not _arrays.describe(gaps, "a").is_contiguous


def test_torch(handle, layer, random):
    torch = pytest.importorskip("torch")
    weights, w = layer
    values = random.standard_normal((3, K)).astype(np.float32)
    c = handle.gemm(torch.from_numpy(values), weights)
    assert isinstance(c, torch.Tensor) and c.dtype == torch.float32
    check(c.numpy(), values, w)
    a = torch.from_numpy(values).to(torch.bfloat16)
    c = handle.gemm(a, weights)
    assert c.dtype == torch.bfloat16
    check(from_bf16(c.view(torch.uint16).numpy()), from_bf16(to_bf16(values)), w, kind="bf16")
    packed = handle.pack(torch.from_numpy(values).to(torch.bfloat16).T.contiguous(), group_size=32)
    assert packed.shape == (K, 3)
    with pytest.raises(BufferError):
        handle.gemm(torch.ones((1, K), requires_grad=True), weights)
