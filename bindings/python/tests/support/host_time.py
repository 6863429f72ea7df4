"""Measures the host time of a call of libmarlin.torch: a multiply so small that it is nearly all overhead.

Usage: host_time.py [--device cuda] [--machine TEXT]; prints JSON as docs/benchmarks/python-host-time.json has it. The
contract is at most 15 us. On a GPU calls are only enqueued, and the time is the host's all the same.
"""

import argparse
import datetime
import itertools
import json
import time

import torch

import libmarlin.torch


def microseconds(call, rounds=300, calls=100):
    """Return the best time of one call: what others on the machine took is not the library's."""
    for _ in range(500):
        call()
    best = float("inf")
    for _ in range(rounds):
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        begin = time.perf_counter()
        for _ in itertools.repeat(None, calls):
            call()
        best = min(best, (time.perf_counter() - begin) / calls)
    return round(1e6 * best, 2)


def measure(device, bias):
    dtype = torch.float32 if device == "cpu" else torch.float16
    source = torch.nn.Linear(64, 64, bias, device=device, dtype=dtype)
    layer = libmarlin.torch.Linear.from_linear(source, group_size=64)
    x = torch.randn(1, 64, device=device, dtype=dtype)
    of_layer = layer.bias.detach() if bias else None
    return {
        "bias": bias,
        "torch.ops.libmarlin.gemm": microseconds(lambda: torch.ops.libmarlin.gemm(x, layer.packed, 64, of_layer)),
        "libmarlin.torch.Linear": microseconds(lambda: layer(x)),
        "torch.nn.Linear": microseconds(lambda: source(x)),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--machine", default="")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with torch.inference_mode():
        results = [measure(arguments.device, bias) for bias in (False, True)]
    build = libmarlin.build_info()
    report = {
        "machine": arguments.machine,
        "device": arguments.device,
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "version": build["version"],
        "commit": build["commit"],
        "torch": torch.__version__,
        "problem": "m1 n64 k64, one thread; microseconds of one call, best of 300 rounds of 100",
        "results": results,
    }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
