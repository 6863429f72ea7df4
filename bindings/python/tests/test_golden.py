"""The golden vectors that all languages share: sources by the manifest's formulas give the same packed bytes."""

import json
from pathlib import Path

import numpy as np
import pytest
from oracle import check, from_bf16, to_bf16

import libmarlin

GOLDEN = Path(__file__).resolve().parents[3] / "tests" / "golden"
CASES = json.loads((GOLDEN / "manifest.json").read_text())["cases"]


def evaluate(formula, case, **names):
    """Compute a formula of the manifest over grids of its names; it is Python, but "or" is of each element."""
    known = names | {"groups": case["groups"]}
    terms = [eval(term, {"__builtins__": {}}, known) for term in formula.split(" or ")]
    return np.logical_or.reduce(terms) if len(terms) > 1 else terms[0]


def stored(values, kind):
    """Return values as arrays of a type, and what to say of it."""
    if kind == "bf16":
        return to_bf16(np.asarray(values, np.float32)), "bf16"
    return np.asarray(values).astype({"f16": np.float16, "f32": np.float32, "u8": np.uint8}[kind]), None


def pack_arguments(case):
    k, n, g = case["k"], case["n"], case["groups"]
    of_weights = dict(zip("kn", np.mgrid[:k, :n], strict=True))
    of_groups = dict(zip("gn", np.mgrid[:g, :n], strict=True))
    arguments = {"group_size": case["group_size"], "layout": case["layout"], "sparsity": case["sparsity"]}
    if "code" in case:
        src = evaluate(case["code"], case, **of_weights)
        if "kept" in case:
            src = np.where(evaluate(case["kept"], case, **of_weights), src, int(case["code_where_not_kept"]))
        src = src.astype(np.uint8)
        arguments["scales"], arguments["scales_dtype"] = stored(
            evaluate(case["scale"], case, **of_groups), case["scale_type"]
        )
    else:
        src = evaluate(case["value"], case, **of_weights).astype(np.float16)
        arguments["scale_method"] = case["scale_method"]
        arguments["importance"] = evaluate(case["importance"], case, k=np.arange(k)).astype(np.float32)
    arguments |= {"type": case["type"], "scale_type": case["scale_type"]}
    if "zero" in case:
        arguments["zeros"], arguments["zeros_dtype"] = stored(
            evaluate(case["zero"], case, **of_groups), case["zero_type"]
        )
    if "g_idx" in case:
        arguments["g_idx"] = evaluate(case["g_idx"], case, k=np.arange(k)).astype(np.int32)
    if "column_scale" in case:
        arguments["column_scales"] = evaluate(case["column_scale"], case, n=np.arange(n)).astype(np.float32)
    return src, arguments


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_bytes_and_product(handle, random, case):
    src, arguments = pack_arguments(case)
    weights = handle.pack(src, **arguments)
    expected = (GOLDEN / case["file"]).read_bytes()
    assert weights.size == case["size"] == len(expected)
    assert weights.tobytes() == expected
    assert weights.layout == case["layout_number"]

    a = random.standard_normal((3, case["k"])).astype(np.float32)
    multiply = handle.sp_gemm if weights.sparse else handle.gemm
    if "column_scale" in case:
        with pytest.raises(libmarlin.Error, match="column_scales"):
            multiply(a, weights)
        return
    check(multiply(a, weights), a, exact_weights(handle, weights, case, src, arguments))


def exact_weights(handle, weights, case, src, arguments):
    """Return the weights in FP64 by the manifest's formulas; selected 2:4 positions are read from the library."""
    size = case["k"] if case["group_size"] < 0 else case["group_size"]
    group = arguments.get("g_idx", np.arange(case["k"]) // size)
    scale = as_double(arguments["scales"], case["scale_type"])[group]
    if case["zero_type"] == "none":
        value = (src.astype(np.float64) - 8) * scale
    elif case["zero_type"] == "u8":
        value = (src - arguments["zeros"][group].astype(np.float64)) * scale
    else:
        value = src * scale + as_double(arguments["zeros"], case["zero_type"])[group]
    if weights.sparse:
        kept = np.asarray(handle.unpack(weights)) != 0
        value = np.where(kept, value, 0)
    return value


def as_double(array, kind):
    return from_bf16(array).astype(np.float64) if kind == "bf16" else array.astype(np.float64)
