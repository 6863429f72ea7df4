"""Measures the host time of a call of libmarlin.torch: a multiply so small that it is nearly all overhead.

Usage: host_time.py [--device cuda] [--machine TEXT]; prints JSON as docs/benchmarks/python-host-time.json has it, and
what the time is made of. The contract is at most 15 us. On a GPU calls are only enqueued, and the time is the host's
all the same.
"""

import argparse
import datetime
import itertools
import json
import time

import torch

import libmarlin.torch
from libmarlin import _native, native
from libmarlin.torch import _attached, _handles, _ops


def microseconds(calls, rounds=300, repeats=100):
    """Return the best time of each call, by name: what others on the machine took is not the library's.

    Rounds of all calls take turns, for a machine is faster at times, and slow for whatever comes first.
    """
    for call in calls.values():
        for _ in range(500):
            call()
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(rounds):
        for name, call in calls.items():
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            begin = time.perf_counter()
            for _ in itertools.repeat(None, repeats):
                call()
            best[name] = min(best[name], (time.perf_counter() - begin) / repeats)
    return {name: round(1e6 * seconds, 2) for name, seconds in best.items()}


def make(device, bias):
    dtype = torch.float32 if device == "cpu" else torch.float16
    source = torch.nn.Linear(64, 64, bias, device=device, dtype=dtype)
    layer = libmarlin.torch.Linear.from_linear(source, group_size=64)
    x = torch.randn(1, 64, device=device, dtype=dtype)
    return source, layer, x


def measure(device, bias):
    source, layer, x = make(device, bias)
    operator, packed = torch.ops.libmarlin.gemm, layer.packed  # looked up once: a module's attributes take 0.5 us
    arguments = (x, packed, 64, layer.bias.detach()) if bias else (x, packed, 64)
    calls = {
        "torch.ops.libmarlin.gemm": lambda: operator(*arguments),
        "libmarlin.torch.Linear": lambda: layer(x),
        "torch.nn.Linear": lambda: source(x),
    }
    return {"bias": bias} | microseconds(calls)


def probe(library, name, device, kernel):
    """Register an operator of the same schema, and return how it is called."""
    library.define(name + _ops.MULTIPLY_SCHEMA)
    library.impl(name, kernel, "CPU" if device == "cpu" else "CUDA")
    return getattr(torch.ops.libmarlin_host_time, name)


def breakdown(device, library):
    """Return what the time without a bias is made of, from the inside out, and calls of PyTorch's to compare with."""
    source, layer, x = make(device, bias=False)
    packed, weight = layer.packed, source.weight.detach().T
    out = layer(x)
    handle = _handles.handle_of(packed.get_device())
    b = _attached.attached(packed).native
    desc = native.marlin_gemm_desc()
    desc.a_type = desc.c_type = _ops._TYPES[x.dtype]
    desc.m = 1
    address, a, c = handle._address, x.data_ptr(), out.data_ptr()
    function, python, used = _native.marlin_gemm, _ops.python_kernels["gemm"], _ops.used_kernels["gemm"]
    empty = probe(library, "empty", device, lambda a, weights, n, bias=None, out_dtype=None: out)
    alone = probe(library, "alone", device, lambda a, weights, n, bias=None, out_dtype=None: a.new_empty(1, n))
    aten_mm = torch.ops.aten.mm
    calls = {
        "an empty call of Python": lambda: None,
        "marlin_gemm through _native, arguments prepared": lambda: function(address, desc, a, b, c),
        "new_empty": lambda: x.new_empty(1, 64),
        "the kernel in use, without the dispatcher": lambda: used(x, packed, 64),
        "the Python kernel, without the dispatcher": lambda: python(x, packed, 64),
        "an operator that returns a tensor at hand": lambda: empty(x, packed, 64),
        "an operator that returns new_empty": lambda: alone(x, packed, 64),
        "handle_of": lambda: _handles.handle_of(packed.get_device()),
        "attached": lambda: _attached.attached(packed),
        "torch.mm": lambda: torch.mm(x, weight),
        "torch.ops.aten.mm": lambda: aten_mm(x, weight),
    }
    return microseconds(calls)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--machine", default="")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    library = torch.library.Library("libmarlin_host_time", "DEF")
    with torch.inference_mode():
        results = [measure(arguments.device, bias) for bias in (False, True)]
        parts = breakdown(arguments.device, library)
    build = libmarlin.build_info()
    report = {
        "machine": arguments.machine,
        "device": arguments.device,
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "version": build["version"],
        "commit": build["commit"],
        "torch": torch.__version__,
        "kernels": libmarlin.torch.kernels(),
        "problem": "m1 n64 k64, one thread; microseconds of one call, best of 300 rounds of 100",
        "results": results,
        "parts": parts,
    }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
