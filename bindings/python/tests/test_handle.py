"""Handles: what they say, their options, errors, threads, forks and the log."""

import os
import pickle
import threading
import time

import numpy as np
import pytest

import libmarlin
from libmarlin import Status


def make(handle, k=64, n=32):
    w = np.random.default_rng(0).standard_normal((k, n), np.float32)
    return handle.pack(w, group_size=32)


def test_info():
    with libmarlin.Handle("cpu", num_threads=2) as handle:
        info = handle.info
        assert info.device is libmarlin.Device.CPU and info.device_id == 0
        assert info.num_threads == 2 and info.name
        assert info.sm_count == info.compute_capability == 0
        assert info.workspace_size <= 64 * 2**20
        assert "cpu" in repr(handle)
    assert "closed" in repr(handle)


def test_options():
    with libmarlin.Handle(libmarlin.Device.CPU, num_threads=1) as handle:
        assert handle.math is libmarlin.Math.DEFAULT
        handle.math = "batch_invariant"
        assert handle.math is libmarlin.Math.BATCH_INVARIANT
        handle.num_threads = 2
        assert handle.num_threads == 2 == handle.info.num_threads
        handle.cpu_isa = libmarlin.CpuIsa.REFERENCE
        assert handle.cpu_isa is libmarlin.CpuIsa.REFERENCE
        weights = make(handle)
        reference = handle.query(weights, 1)
        assert "reference" in reference.kernel
        handle.cpu_isa = "best"
        handle.kernel = reference.kernel_number
        assert handle.kernel == reference.kernel_number
        assert handle.query(weights, 1).kernel == reference.kernel
        handle.kernel = 0
        assert handle.sm_count == 0
        handle.sm_count = 0
        assert handle.dependent_launch is False
        handle.dependent_launch = False
        assert handle.stream == 0
        handle.stream = None
        with pytest.raises(libmarlin.Error, match="cpu_isa is 'sse', expected one of 'best'"):
            handle.cpu_isa = "sse"
        with pytest.raises(libmarlin.Error) as error:
            handle.num_threads = -1
        assert error.value.status is Status.INVALID_ARGUMENT
        with pytest.raises(libmarlin.Error):
            handle.stream = 64
        with pytest.raises(AttributeError):
            handle.info.device = 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"device": "tpu"}, "device is 'tpu', expected one of 'default', 'cuda', 'cpu'"),
        ({"device": "cpu", "device_id": 1}, "device_id is 1"),
        ({"device": "cpu", "num_threads": -1}, "num_threads is -1"),
        ({"device": "cpu", "num_threads": 5000}, "num_threads is 5000"),
        ({"device": "cpu", "stream": 4096}, "stream"),
        ({"device": "cpu", "workspace": bytes(4096)}, "workspace is read-only"),
    ],
)
def test_wrong_handles(arguments, words):
    with pytest.raises(libmarlin.Error, match=words) as error:
        libmarlin.Handle(**arguments)
    assert error.value.status is Status.INVALID_ARGUMENT


def test_cuda_is_never_a_silent_cpu():
    try:
        handle = libmarlin.Handle("cuda")
    except libmarlin.Error as error:
        assert error.status in (Status.NOT_SUPPORTED, Status.DEVICE_ERROR)
        assert str(error)
    else:
        with handle:
            assert handle.info.device is libmarlin.Device.CUDA


def test_workspace():
    memory = np.zeros(2**20 + 256, np.uint8)
    start = -memory.ctypes.data % 256
    aligned = memory[start : start + 2**20]
    with libmarlin.Handle("cpu", workspace=aligned) as handle:
        assert handle.info.workspace_size == 2**20
        weights = make(handle)
        expected = handle.gemm(np.ones((1, 64), np.float32), weights)
        handle.set_workspace(None)
        assert handle.gemm(np.ones((1, 64), np.float32), weights).tobytes() == expected.tobytes()
        handle.set_workspace(aligned)
        with pytest.raises(libmarlin.Error):
            handle.set_workspace(memory[start + 1 : start + 4097])
        assert handle.info.workspace_size == 2**20


def test_a_workspace_too_small_is_its_own_status():
    memory = np.zeros(512, np.uint8)
    start = -memory.ctypes.data % 256
    with libmarlin.Handle("cpu") as handle:
        weights = make(handle, 4096, 64)
        a = np.ones((64, 4096), np.float16)
        needed = handle.query(weights, 64).workspace_size
        if needed <= 256:
            pytest.skip(f"the kernel needs {needed} bytes only")
        handle.set_workspace(memory[start : start + 256])
        with pytest.raises(libmarlin.Error) as error:
            handle.gemm(a, weights)
        assert error.value.status is Status.WORKSPACE_TOO_SMALL
        handle.set_workspace(None)
        handle.gemm(a, weights)


def test_last_error():
    with libmarlin.Handle("cpu") as handle:
        assert handle.last_error == ""
        with pytest.raises(libmarlin.Error) as error:
            handle.pack_size(0, 1)
        assert str(error.value) == handle.last_error != ""
        make(handle)
        assert handle.last_error == str(error.value)


def test_errors_are_exceptions_of_python():
    error = libmarlin.Error(Status.NOT_SPARSE, "k is 3")
    assert isinstance(error, RuntimeError) and str(error) == "k is 3"
    again = pickle.loads(pickle.dumps(error))
    assert (again.status, str(again)) == (Status.NOT_SPARSE, "k is 3")


def test_closed():
    handle = libmarlin.Handle("cpu")
    weights = make(handle)
    handle.close()
    handle.close()
    for call in (
        lambda: handle.gemm(np.ones((1, 64), np.float32), weights),
        lambda: handle.info,
        lambda: handle.last_error,
        lambda: handle.math,
        lambda: make(handle),
        lambda: handle.unpack(weights),
        lambda: handle.query(weights, 1),
        lambda: libmarlin.Weights.attach(weights.data, handle),
        lambda: handle.set_workspace(None),
    ):
        with pytest.raises(libmarlin.Error, match="handle is closed"):
            call()


def test_threads_share_a_handle():
    failures = []
    with libmarlin.Handle("cpu") as handle:
        weights = make(handle, 512, 256)
        inputs = [np.random.default_rng(i).standard_normal((4, 512), np.float32) for i in range(4)]
        expected = [handle.gemm(a, weights).tobytes() for a in inputs]

        def work(i):
            for _ in range(50):
                if handle.gemm(inputs[i], weights).tobytes() != expected[i]:
                    failures.append(i)
                with pytest.raises(libmarlin.Error, match=f"m is {-1 - i}"):  # its own text, not another thread's
                    handle.query(weights, -1 - i)

        threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []


def test_the_gil_is_released():
    # A multiply of the reference kernel takes long; meanwhile another Python thread must make progress.
    with libmarlin.Handle("cpu", num_threads=1) as handle:
        handle.cpu_isa = "reference"
        weights = make(handle, 1024, 1024)
        a = np.ones((64, 1024), np.float32)
        beats = []
        started, done = threading.Event(), threading.Event()

        def count():
            started.set()
            while not done.is_set():
                beats.append(time.perf_counter())
                time.sleep(0.001)

        thread = threading.Thread(target=count)
        thread.start()
        started.wait()
        begin = time.perf_counter()
        handle.gemm(a, weights)
        end = time.perf_counter()
        done.set()
        thread.join()
        inside = sum(begin < beat < end for beat in beats)
        # Holding the GIL would leave none between the first and the last moment of the call.
        assert end - begin > 0.02, "the multiply is too short to tell"
        assert inside >= 3


def test_closing_waits_for_another_thread():
    handle = libmarlin.Handle("cpu", num_threads=1)
    handle.cpu_isa = "reference"
    weights = make(handle, 1024, 512)
    result = []
    thread = threading.Thread(target=lambda: result.append(handle.gemm(np.ones((64, 1024), np.float32), weights)))
    thread.start()
    while thread.is_alive() and handle._lock.acquire(blocking=False):  # until the multiply holds it
        handle._lock.release()
        time.sleep(0.0001)
    handle.close()
    thread.join()
    assert len(result) == 1


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_is_told():
    with libmarlin.Handle("cpu") as handle:
        weights = make(handle)
        a = np.ones((1, 64), np.float32)
        handle.gemm(a, weights)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                handle.gemm(a, weights)
            except libmarlin.Error as error:
                code = 0 if error.status is Status.INVALID_ARGUMENT and "fork" in str(error) else 2
            if code == 0:
                with libmarlin.Handle("cpu") as own:  # a handle of its own works
                    own.gemm(a, weights)
            os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        handle.gemm(a, weights)


def test_log():
    lines = []
    with libmarlin.Handle("cpu") as handle:
        weights = make(handle)
        try:
            libmarlin.set_log(lambda level, message: lines.append((level, message)), "calls")
            handle.gemm(np.ones((3, 64), np.float32), weights)
            assert [level for level, _ in lines] == [libmarlin.LogLevel.CALLS]
            assert "gemm" in lines[0][1] and "m3" in lines[0][1]
            with pytest.raises(libmarlin.Error):
                handle.query(weights, -5)
            assert lines[-1][0] is libmarlin.LogLevel.ERROR and "m is -5" in lines[-1][1]
            lines.clear()
            libmarlin.set_log(lambda level, message: lines.append(message), libmarlin.LogLevel.ERROR)
            handle.gemm(np.ones((3, 64), np.float32), weights)
            assert lines == []
        finally:
            libmarlin.set_log(None, "off")
        with pytest.raises(libmarlin.Error, match="level is 'loud'"):
            libmarlin.set_log(None, "loud")
        with pytest.raises(TypeError, match="expected a callable"):
            libmarlin.set_log(3)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_log_receiver_that_raises_breaks_nothing():
    def receiver(level, message):
        raise ValueError("no")

    with libmarlin.Handle("cpu") as handle:
        weights = make(handle)
        try:
            libmarlin.set_log(receiver, "calls")
            assert handle.gemm(np.ones((1, 64), np.float32), weights).shape == (1, 32)
            with pytest.raises(libmarlin.Error, match="m is -5"):
                handle.query(weights, -5)
        finally:
            libmarlin.set_log(None, "off")
