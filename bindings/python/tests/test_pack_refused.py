"""What packing and unpacking refuse: each with its words, and the handle usable afterwards."""

import numpy as np
import pytest

import libmarlin

ERROR = libmarlin.Error
W = np.ones((64, 16), np.float32)
CODES = np.zeros((64, 16), np.int8)
SCALES = np.ones((2, 16), np.float16)
WORDS = np.zeros((8, 16), np.int32)
NAN = np.where(np.arange(64 * 16).reshape(64, 16) == 5 * 16 + 3, np.float32(np.nan), np.float32(1))
REFUSED = {
    "group 0": ({"src": W, "group_size": 0}, ERROR, "group_size"),
    "group 0 of codes": ({"src": CODES, "scales": SCALES, "group_size": 0}, ERROR, "group_size"),
    "group 48": ({"src": W, "group_size": 48}, ERROR, "group_size"),
    "axes": ({"src": W[0]}, ERROR, r"src has shape \(16,\), expected two axes"),
    "empty": ({"src": W[:0]}, ERROR, "k is 0"),
    "stride": ({"src": np.ones((64, 32), np.float32)[:, ::2]}, ERROR, "src has stride 2"),
    "broadcast": ({"src": np.broadcast_to(W[:1], (64, 16))}, ERROR, "src has 0 elements between rows"),
    "double": ({"src": W.astype(np.float64)}, TypeError, "src has elements of type float64"),
    "nan": ({"src": NAN}, ERROR, "nan"),
    "codes without scales": ({"src": CODES}, ERROR, "scales"),
    "code out of range": ({"src": CODES + np.int8(9), "scales": SCALES}, ERROR, "9"),
    "scales shape": ({"src": CODES, "scales": SCALES[:1]}, ERROR, r"scales has shape \(1, 16\), expected \(2, 16\)"),
    "scales gaps": ({"src": CODES, "scales": np.ones((2, 32), np.float16)[:, ::2]}, ERROR, "contiguous"),
    "scales type": (
        {"src": CODES, "scales": SCALES.astype(np.float64)},
        TypeError,
        "scales has elements of type float64",
    ),
    "zeros shape": (
        {"src": CODES.view(np.uint8), "scales": SCALES, "zeros": np.zeros((1, 16), np.uint8)},
        ERROR,
        "zeros has shape",
    ),
    "zero out of range": (
        {"src": CODES.view(np.uint8), "scales": SCALES, "zeros": np.full((2, 16), 17, np.uint8)},
        ERROR,
        "17",
    ),
    "dtype": ({"src": W, "dtype": "u4"}, TypeError, "expected uint8 for U4 codes"),
    "k": ({"src": W, "k": 63}, ERROR, "k is 63, expected 64"),
    "source": ({"src": W, "source": "exl2"}, ERROR, "source is 'exl2', expected one of 'plain', 'gptq_v1'"),
    "words": ({"src": W, "source": "gptq_v1"}, TypeError, "src has elements of type float32, expected int32"),
    "words dtype": ({"src": WORDS, "source": "gptq_v1", "dtype": "u4"}, ERROR, "dtype is 'u4', expected None"),
    "words k": ({"src": WORDS, "source": "gptq_v1", "k": 72}, ERROR, r"src has shape \(8, 16\), expected \(9, 16\)"),
    "words zeros": (
        {"src": WORDS, "source": "gptq_v1", "scales": SCALES, "zeros": np.zeros((2, 16), np.uint8)},
        TypeError,
        "int32 or uint32",
    ),
    "negative k": ({"src": WORDS, "source": "gptq_v1", "k": -8}, ERROR, "src has shape"),
    "awq without zeros": ({"src": np.zeros((64, 2), np.int32), "source": "awq", "scales": SCALES}, ERROR, "zeros"),
    "g_idx length": (
        {"src": WORDS, "source": "gptq_v1", "k": 64, "scales": SCALES, "g_idx": np.zeros(63, np.int32)},
        ERROR,
        "g_idx has shape",
    ),
    "g_idx type": (
        {"src": WORDS, "source": "gptq_v1", "scales": SCALES, "g_idx": np.zeros(64, np.int64)},
        TypeError,
        "g_idx has elements of type int64",
    ),
    "g_idx range": (
        {"src": WORDS, "source": "gptq_v1", "scales": SCALES, "g_idx": np.full(64, 99, np.int32)},
        ERROR,
        "99",
    ),
    "importance length": ({"src": W, "importance": np.ones(3, np.float32)}, ERROR, "importance has shape"),
    "importance type": ({"src": W, "importance": np.ones(64)}, TypeError, "importance has elements of type float64"),
    "column scales": ({"src": W, "column_scales": np.ones(3, np.float32)}, ERROR, "column_scales has shape"),
    "packed read-only": ({"src": W, "packed": memoryview(bytes(4096))}, ERROR, "packed is"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(handle, case):
    arguments, kind, words_expected = REFUSED[case]
    arguments = {"group_size": 32} | arguments
    with pytest.raises(kind, match=words_expected) as error:
        handle.pack(**arguments)
    if kind is libmarlin.Error:
        assert error.value.status is libmarlin.Status.INVALID_ARGUMENT
    handle.pack(W, group_size=32)


def test_kept_for_later(handle):
    words = np.zeros((8, 64), np.int32)
    with pytest.raises(libmarlin.Error) as error:
        handle.pack(words, source="marlin_24", scales=np.ones((1, 64), np.float16), k=64, n=64)
    assert error.value.status is libmarlin.Status.NOT_SUPPORTED


@pytest.mark.parametrize(
    ("arguments", "kind", "words_expected"),
    [
        ({"out": np.empty((16, 64), np.float32)}, ERROR, "out has shape"),
        ({"out": np.empty((64, 16))}, TypeError, "out has elements of type float64"),
        ({"out": np.empty((64, 16), np.uint8)}, ERROR, "dst_type"),
        ({"dtype": "u8"}, ERROR, "dtype is u8"),
        ({"out": np.empty((64, 16), np.float32), "dtype": "s4"}, TypeError, "expected int8 for S4"),
        ({"scales": np.empty((2, 16), np.float32)}, TypeError, "expected f16"),
        ({"scales": np.empty((3, 16), np.float16)}, ERROR, "scales has shape"),
        ({"zeros": np.empty((2, 16), np.uint8)}, ERROR, "no zero points"),
        ({"out": np.broadcast_to(np.float32(0), (64, 16))}, ERROR, "out is read-only"),
    ],
)
def test_unpack_refuses(handle, arguments, kind, words_expected):
    weights = handle.pack(W, group_size=32)
    with pytest.raises(kind, match=words_expected):
        handle.unpack(weights, **arguments)
    with pytest.raises(TypeError, match=r"expected libmarlin\.Weights"):
        handle.unpack(W)
