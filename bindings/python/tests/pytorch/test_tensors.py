"""Tensors through libmarlin.Handle itself, and the command marlin on a GPU."""

import json
import subprocess
import sys

import pytest
import torch
from bounds import CUDA_OR_CPU_TYPES, DEVICES, check, default_type

import libmarlin

K, N = 200, 72


@pytest.fixture
def opened(request):
    device = request.node.callspec.params["device"]
    with libmarlin.Handle(device) as handle:
        yield handle


def memory_on(device):
    def make(size):
        raw = torch.empty(size + 256, dtype=torch.uint8, device=device)
        start = -raw.data_ptr() % 256
        return raw[start : start + size]

    return make


def pack(handle, device, **options):
    return handle.pack(torch.randn(K, N, device=device), group_size=64, packed=memory_on(device), **options)


@pytest.mark.parametrize("sparsity", ["dense", "select_24"])
@pytest.mark.parametrize(("device", "dtype"), CUDA_OR_CPU_TYPES)
def test_multiply(opened, device, dtype, sparsity):
    weights = pack(opened, device, sparsity=sparsity)
    values = opened.unpack(weights, torch.empty(N, K, device=device), order="nxk")
    multiply = opened.sp_gemm if weights.sparse else opened.gemm
    bias = torch.randn(N, device=device, dtype=dtype)
    for m in (1, 17, 65):
        x = torch.randn(m, K, device=device, dtype=dtype)
        out = multiply(x, weights, bias=bias)
        assert out.dtype == dtype and out.device == x.device
        check(out, x, values, bias)
        wide = torch.full((m, N + 8), 7.0, device=device)
        multiply(x, weights, wide[:, :N])
        check(wide[:, :N], x, values)
        assert (wide[:, N:] == 7).all()


@pytest.mark.parametrize("device", DEVICES)
def test_source_and_codes_come_back(opened, device):
    codes = torch.randint(-8, 8, (K, N), dtype=torch.int8)
    scales = torch.rand(4, N).half()
    weights = opened.pack(codes, scales=scales, group_size=64, packed=memory_on(device))
    again = opened.unpack(weights, torch.empty(K, N, dtype=torch.int8, device=device))
    assert torch.equal(again.cpu(), codes)


@pytest.mark.gpu
@pytest.mark.parametrize("device", ["cuda"])
def test_host_memory_is_refused(opened, device):
    weights = pack(opened, device)
    with pytest.raises(libmarlin.Error, match="a lies in host memory, expected memory of CUDA device 0") as error:
        opened.gemm(torch.ones(1, K, dtype=default_type(device)), weights)
    assert error.value.status is libmarlin.Status.INVALID_ARGUMENT


@pytest.mark.gpu
def test_the_command_on_a_gpu():
    pytest.importorskip("typer")

    def run(*arguments):
        command = [sys.executable, "-m", "libmarlin", *arguments, "--json"]
        return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    assert run("doctor")["gpus"][0]["usable"]
    problems = ("gemm f16 s4 g128 m16 n256 k512", "sp_gemm bf16 u4 g32 m1 n64 k96 cf32 bias")
    report = run("check", *problems, "--device", "cuda")
    assert report["failed"] == 0 and len(report["results"]) == 2
    report = run("bench", *problems, "--seconds", "0.1", "--device", "cuda")
    assert all(result["us"] > 0 for result in report["results"])
