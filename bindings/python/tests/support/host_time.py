"""Measures the host time of a call of libmarlin.torch: a multiply so small that it is nearly all overhead.

Usage: host_time.py [cpu | cuda]. Contract: at most 15 us. On a GPU calls are only enqueued, which is the host's time.
"""

import itertools
import sys
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
    return 1e6 * best


def main(device="cpu"):
    torch.set_num_threads(1)
    dtype = torch.float32 if device == "cpu" else torch.float16
    for bias in (False, True):
        source = torch.nn.Linear(64, 64, bias, device=device, dtype=dtype)
        layer = libmarlin.torch.Linear.from_linear(source, group_size=64)
        x = torch.randn(1, 64, device=device, dtype=dtype)
        arguments = (x, layer.packed, 64, layer.bias.detach() if bias else None)
        with torch.inference_mode():
            for name, call in (
                ("torch.ops.libmarlin.gemm", lambda given=arguments: torch.ops.libmarlin.gemm(*given)),
                ("libmarlin.torch.Linear", lambda layer=layer, x=x: layer(x)),
                ("torch.nn.Linear", lambda source=source, x=x: source(x)),
            ):
                print(f"{name + (' with bias' if bias else ''):36} {microseconds(call):6.2f} us")


if __name__ == "__main__":
    main(*sys.argv[1:])
