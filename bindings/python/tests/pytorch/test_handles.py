"""Which handle serves which stream, with a made-up GPU: no call reaches the library."""

import types

import pytest
import torch

import libmarlin
from libmarlin.torch import _handles


class Made:
    """Stands for a libmarlin.Handle and keeps what it was made with."""

    def __init__(self, device, device_id=0, *, stream=0):
        self.made_with = (device, device_id, stream)


@pytest.fixture
def gpu(monkeypatch):
    """Two streams of two devices, one of them current; changed by the test."""
    state = types.SimpleNamespace(stream=7, capturing=False)
    capture = types.SimpleNamespace(device=types.SimpleNamespace(index=0), cuda_stream=99)
    monkeypatch.setattr(_handles, "_handles", {})
    monkeypatch.setattr(_handles, "Handle", Made)
    monkeypatch.setattr(_handles, "_current_stream", lambda index: state.stream)
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: state.capturing)
    monkeypatch.setattr(torch.cuda.graph, "default_capture_stream", capture)
    return state


def test_one_handle_for_each_stream(gpu):
    first = _handles.handle_of(0)
    assert first.made_with == ("cuda", 0, 7)
    assert _handles.handle_of(0) is first
    gpu.stream = 8
    second = _handles.handle_of(0)
    assert second is not first and second.made_with == ("cuda", 0, 8)
    assert _handles.handle_of(1).made_with == ("cuda", 1, 8)
    gpu.stream = 7
    assert _handles.handle_of(0) is first


def test_the_usual_stream_of_captures_is_prepared(gpu):
    _handles.handle_of(0)
    gpu.stream, gpu.capturing = 99, True
    assert _handles.handle_of(0).made_with == ("cuda", 0, 99)


def test_no_handle_is_made_during_a_capture(gpu):
    _handles.handle_of(0)
    gpu.stream, gpu.capturing = 8, True
    with pytest.raises(libmarlin.Error, match="expected a call of libmarlin on it before: run the model once") as error:
        _handles.handle_of(0)
    assert error.value.status is libmarlin.Status.INVALID_ARGUMENT
    gpu.stream = 7
    assert _handles.handle_of(0).made_with == ("cuda", 0, 7)


def test_pytorch_names_what_this_relies_on():
    assert hasattr(torch.cuda.graph, "default_capture_stream")
    assert callable(torch._C._cuda_getCurrentRawStream)
