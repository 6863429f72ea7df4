"""The native kernels: which calls they take, and that the Python kernels stand behind them."""

import gc
import os
import subprocess
import sys
import threading

import pytest
import torch
from bounds import DEVICES, default_type

import libmarlin
import libmarlin.torch as marlin_torch
from libmarlin import _native
from libmarlin.torch import _handles, _ops

K, N = 200, 72

pytestmark = pytest.mark.skipif(
    marlin_torch.kernels() == "python", reason="this PyTorch does not describe tensors to C: no native kernels"
)


class Counted:
    """A native kernel of its own, and how often the Python kernel behind it was called."""

    def __init__(self, name="gemm"):
        self.calls = 0
        self.python = _ops.python_kernels[name]
        self.native = _native.torch_kernel(self.general, name == "sp_gemm")

    def general(self, *arguments):
        self.calls += 1
        return self.python(*arguments)

    def __call__(self, *arguments):
        """Return the result, and whether Python was needed; it must be the same as Python's alone."""
        before = self.calls
        out = self.native(*arguments)
        python = self.python(*arguments)
        assert torch.equal(out, python) and out.dtype == python.dtype and out.is_inference() == python.is_inference()
        return self.calls != before


def layer(device="cpu", **options):
    weight = torch.randn(N, K, device=device)
    return marlin_torch.pack(weight, order="nxk", **({"group_size": 64} | options))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", ["gemm", "sp_gemm"])
def test_usual_calls_need_no_python(device, name):
    kernel = Counted(name)
    packed = layer(device, sparsity="select_24" if name == "sp_gemm" else "dense")
    x = torch.randn(6, K, device=device, dtype=default_type(device))
    bias = torch.randn(N, device=device, dtype=x.dtype)
    assert kernel(x, packed, N)  # the bytes are read by Python
    wide = torch.randn(6, 2 * K, device=device, dtype=x.dtype)
    for a in (x, x[0], x[:0], x.view(2, 3, K), x.view(6, 1, K), wide[:, :K], wide[::2, K:], x.bfloat16()):
        assert not kernel(a, packed, N)
        assert not kernel(a, packed, N, bias)
        assert not kernel(a, packed, N, torch.nn.Parameter(bias.float()), torch.float32)
        assert not kernel(a, packed, N, None, torch.bfloat16)
    assert not kernel(x.clone().requires_grad_(), packed, N)
    with torch.inference_mode():
        assert not kernel(x.clone(), packed, N)


@pytest.mark.parametrize("device", DEVICES)
def test_unusual_calls_are_python_s(device):
    class Special(torch.Tensor):
        """A tensor that may do more."""

    kernel, packed = Counted(), layer(device)
    x = torch.randn(6, K, device=device, dtype=default_type(device))
    kernel(x, packed, N)
    for a in (torch.cat([x, x], 1)[:, ::2], x.view(2, 3, K).transpose(0, 1), x.as_subclass(Special)):
        assert kernel(a, packed, N)
        assert not kernel(a.contiguous().as_subclass(torch.Tensor), packed, N)


def test_changed_bytes_are_read_again():
    kernel, x = Counted(), torch.randn(2, K)
    packed, other = layer(), layer()
    kernel(x, packed, N)
    packed.copy_(other)
    assert kernel(x, packed, N) and not kernel(x, packed, N)
    assert torch.equal(kernel.native(x, packed, N), kernel.native(x, other, N))
    packed[300] ^= 1
    for _ in range(2):
        with pytest.raises(libmarlin.Error, match="damaged"):
            kernel.native(x, packed, N)


@pytest.mark.parametrize("inference", [False, True])
def test_other_bytes_at_the_same_address_are_read_again(inference):
    """As an allocator gives freed memory again; there the version is that of the weights before, too."""
    kernel, x = Counted(), torch.randn(2, K)
    memory = bytearray(1 << 16)
    address = torch.frombuffer(memory, dtype=torch.uint8).data_ptr()
    start = -address % 256
    with torch.inference_mode(inference):
        for _ in range(3):
            packed = layer()
            memory[start : start + packed.numel()] = packed.numpy().tobytes()
            place = torch.frombuffer(memory, dtype=torch.uint8)[start : start + packed.numel()]
            assert kernel(x, place, N) and not kernel(x, place, N)
            assert torch.equal(kernel.native(x, place, N), kernel.native(x, packed, N))
            del place
            gc.collect()


def test_a_tensor_with_versions_over_one_without():
    """The same storage, read through a tensor of inference mode: the other one's changes are counted."""
    kernel, x = Counted(), torch.randn(2, K)
    with torch.inference_mode():
        without = layer()
        kernel(x, without, N)
        assert not kernel(x, without, N)
    assert not kernel(x, without, N)
    counted = torch.empty(0, dtype=torch.uint8).set_(without.untyped_storage())[: without.numel()]
    assert not counted.is_inference() and counted.data_ptr() == without.data_ptr()
    kernel(x, counted, N)
    assert not kernel(x, counted, N)
    counted.copy_(layer())
    assert kernel(x, counted, N)


def test_threads_of_pytorch_are_followed():
    kernel, packed, x = Counted(), layer(), torch.randn(3, K)
    before = torch.get_num_threads()
    try:
        for threads in (1, 2, 1):
            torch.set_num_threads(threads)
            kernel(x, packed, N)
            assert not kernel(x, packed, N)
            assert _handles.handle_of(-1).num_threads == threads
        assert sum(index < 0 for index, _ in _handles._handles) == 1
    finally:
        torch.set_num_threads(before)


def test_the_library_s_words_without_python():
    kernel, packed, x = Counted("sp_gemm"), layer(), torch.randn(2, K)
    for calls in (1, 1):
        with pytest.raises(libmarlin.Error, match="b is dense, expected 2:4 sparse weights") as error:
            kernel.native(x, packed, N)
        assert error.value.status is libmarlin.Status.INVALID_ARGUMENT and kernel.calls == calls
    lock = _handles.handle_of(-1)._lock
    assert lock.acquire(blocking=False)  # what failed left it open
    lock.release()


def test_a_locked_handle_is_waited_for():
    kernel, packed, x = Counted(), layer(), torch.randn(2, K)
    kernel(x, packed, N)
    done = threading.Event()
    with _handles.handle_of(-1)._lock:
        thread = threading.Thread(target=lambda: (kernel.native(x, packed, N), done.set()))
        thread.start()
        assert not done.wait(0.1)
    assert done.wait(10)
    thread.join()


def test_no_reference_is_lost():
    kernel, packed, x = Counted(), layer(), torch.randn(2, K)
    bias = torch.randn(N)
    kernel(x, packed, N, bias, torch.bfloat16)
    gc.collect()
    attached = marlin_torch._attached.attached(packed)
    handle = _handles.handle_of(-1)
    watched = (x, packed, bias, attached, attached.storage, handle, handle._lock, torch.bfloat16)
    before = [sys.getrefcount(one) for one in watched]
    for _ in range(100):
        kernel.native(x, packed, N, bias, torch.bfloat16)
        with pytest.raises(TypeError):
            kernel.native(x, packed, N, bias, torch.int32)
        with pytest.raises(libmarlin.Error):
            kernel.native(x, packed, N - 1)
    gc.collect()
    assert [sys.getrefcount(one) for one in watched] == before


def test_a_forked_child_makes_its_own_handle():
    kernel, packed, x = Counted(), layer(), torch.randn(2, K)
    kernel(x, packed, N)
    expected = kernel.native(x, packed, N)
    child = os.fork()
    if child == 0:
        calls = kernel.calls
        same = [torch.equal(kernel.native(x, packed, N), expected) for _ in range(2)]
        os._exit(0 if all(same) and kernel.calls == calls + 1 else 1)
    assert os.waitpid(child, 0)[1] == 0


OLDER = """
import torch
del torch.Tensor.__dlpack_c_exchange_api__
import libmarlin.torch
assert libmarlin.torch.kernels() == "python"
layer = libmarlin.torch.Linear.from_linear(torch.nn.Linear(64, 32), group_size=32)
x = torch.randn(2, 64)
with torch.no_grad():
    torch.testing.assert_close(layer(x), x @ layer.unpacked().T + layer.bias)
"""


def test_python_alone_where_pytorch_is_older():
    subprocess.run([sys.executable, "-c", OLDER], check=True)
