"""The refusals that all languages share: tests/golden/refusals.json has calls, statuses and the exact words."""

import json
from pathlib import Path

import numpy as np
import pytest

import libmarlin

GOLDEN = Path(__file__).resolve().parents[3] / "tests" / "golden"
CASES = json.loads((GOLDEN / "refusals.json").read_text())["cases"]


def packed_array(contents):
    """Return the bytes at an address that is a multiple of 256."""
    memory = np.empty(len(contents) + 256, np.uint8)
    memory = memory[-memory.ctypes.data % 256 :][: len(contents)]
    memory[:] = np.frombuffer(contents, np.uint8)
    return memory


def call_handle(handle, case):
    libmarlin.Handle("cpu", device_id=case["device_id"], num_threads=case["num_threads"])


def call_option(handle, case):
    setattr(handle, case["option"].lower(), case["value"])


def call_pack(handle, case):
    changes = {key: case[key] for key in ("group_size", "sparsity", "type", "zero_type") if key in case}
    options = {"group_size": 32} | changes
    if case.get("src_type", "f32") == "f32":
        src = np.ones((64, 16), np.float32)
        spoiled = case.get("value")
    else:
        src = np.ones((64, 16), np.int8)
        spoiled = case.get("code")
        options["scales"] = np.ones((2, 16), np.float16)
        if scale := case.get("scale"):
            options["scales"][scale["group"], scale["n"]] = float(scale["is"])
    if spoiled:
        src[spoiled["k"], spoiled["n"]] = float(spoiled["is"])
    handle.pack(src, **options)


def call_attach(handle, case):
    contents = bytearray((GOLDEN / case["file"]).read_bytes())
    if "byte" in case:
        contents[case["byte"]] ^= case["xor"]
    libmarlin.Weights.attach(packed_array(contents[: case.get("size")]), handle)


def call_gemm(handle, case):
    weights = libmarlin.Weights.attach(packed_array((GOLDEN / case["file"]).read_bytes()), handle)
    a = np.zeros((3, weights.k), np.float16)
    (handle.sp_gemm if case["sparse"] else handle.gemm)(a, weights, np.empty((3, weights.n), np.float32))


CALLS = {
    "handle": call_handle, "option": call_option, "pack": call_pack, "attach": call_attach, "gemm": call_gemm,
}  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"].replace(" ", "_"))
def test_the_same_words(case):
    with libmarlin.Handle("cpu", num_threads=2) as handle:
        with pytest.raises(libmarlin.Error) as error:
            CALLS[case["call"]](handle, case)
        assert str(error.value) == case["text"]
        assert error.value.status.name == case["status"].removeprefix("MARLIN_")
        # The handle still works.
        weights = handle.pack(np.ones((64, 16), np.float32), group_size=32)
        assert np.allclose(handle.gemm(np.ones((1, 64), np.float32), weights), 64, rtol=1e-3)
