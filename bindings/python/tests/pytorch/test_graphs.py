"""torch.compile, threads and forks on the CPU; streams and CUDA graphs on a GPU."""

import os
import threading

import pytest
import torch
from bounds import DEVICES, check, default_type

import libmarlin
from libmarlin.torch import Linear

K, N = 128, 64


class Block(torch.nn.Module):
    """Two layers with something between them."""

    def __init__(self, device, between=torch.nn.functional.relu):
        super().__init__()
        dtype = default_type(device)
        self.up = Linear.from_linear(torch.nn.Linear(K, N, device=device, dtype=dtype), group_size=64)
        self.down = Linear.from_linear(
            torch.nn.Linear(N, K, False, device=device, dtype=dtype), group_size=32, sparsity="select_24"
        )
        self.between = between

    def forward(self, x):
        return self.down(self.between(self.up(x)))


def random_rows(m, device):
    return torch.randn(m, K, device=device, dtype=default_type(device))


@pytest.mark.parametrize("device", DEVICES)
@torch.no_grad()
def test_compiles_whole(device):
    block = Block(device)
    compiled = torch.compile(block, backend="aot_eager", fullgraph=True, dynamic=True)
    for m in (1, 3, 16):
        x = random_rows(m, device)
        assert torch.equal(compiled(x), block(x))


@torch.no_grad()
def test_inductor_calls_the_operators():
    # With nothing between the layers, Inductor has no code of its own to compile: seconds, not minutes.
    block = Block("cpu", between=torch.nn.Identity())
    compiled = torch.compile(block, fullgraph=True)
    x = random_rows(3, "cpu")
    assert torch.equal(compiled(x), block(x))
    block.up.load_state_dict(Linear.from_linear(torch.nn.Linear(K, N), group_size=64).state_dict())
    assert torch.equal(compiled(x), block(x))


def test_compiled_gradients():
    block = Block("cpu")
    x = random_rows(3, "cpu")
    grads = []
    for run in (block, torch.compile(block, backend="aot_eager", fullgraph=True)):
        leaf = x.clone().requires_grad_()
        run(leaf).square().sum().backward()
        grads.append(leaf.grad)
    assert torch.equal(*grads)


@torch.no_grad()
def test_exports():
    block = Block("cpu")
    x = random_rows(3, "cpu")
    exported = torch.export.export(block, (x,))
    calls = [node.target for node in exported.graph.nodes if node.op == "call_function"]
    assert torch.ops.libmarlin.gemm.default in calls and torch.ops.libmarlin.sp_gemm.default in calls
    assert torch.equal(exported.module()(x), block(x))


@torch.no_grad()
def test_threads_share_weights():
    block = Block("cpu")
    inputs = [random_rows(m, "cpu") for m in range(1, 9)]
    expected = [block(x) for x in inputs]
    wrong = []

    def work(x, right):
        with torch.no_grad():
            if any(not torch.equal(block(x), right) for _ in range(50)):
                wrong.append(x)

    threads = [threading.Thread(target=work, args=pair) for pair in zip(inputs, expected, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@torch.no_grad()
def test_a_forked_child_multiplies():
    block, x = Block("cpu"), random_rows(2, "cpu")
    torch.set_num_threads(torch.get_num_threads())
    expected = block(x)
    child = os.fork()
    if child == 0:
        same = torch.equal(block.up(x), block.up(x)) and block.down.unpacked().shape == (K, N)
        os._exit(0 if same else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert torch.equal(block(x), expected)


@pytest.mark.gpu
@torch.inference_mode()
def test_runs_on_the_current_stream():
    block, x = Block("cuda"), random_rows(4, "cuda")
    expected = block(x)
    stream = torch.cuda.Stream()
    late = torch.zeros_like(x)
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        block(x)  # makes the stream's handle
        torch.cuda._sleep(200_000_000)
        late.copy_(x)  # a multiply on another stream would read zeros
        out = block(late)
        assert not stream.query()  # and one that waited would have ended the sleep
    stream.synchronize()
    assert torch.equal(out, expected)


@pytest.mark.gpu
@torch.inference_mode()
def test_no_hidden_synchronisation():
    block, x = Block("cuda"), random_rows(4, "cuda")
    block(x)
    torch.cuda.set_sync_debug_mode("error")
    try:
        torch.cuda._sleep(200_000_000)
        block(x)
        assert not torch.cuda.current_stream().query()
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.gpu
@torch.inference_mode()
@pytest.mark.parametrize("m", [1, 16, 200])
def test_cuda_graph(m):
    block, x = Block("cuda"), random_rows(m, "cuda")
    block(x)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        out = block(x)
    for _ in range(3):
        x.copy_(random_rows(m, "cuda"))
        graph.replay()
        assert torch.equal(out, block(x))
    check(block.up(x), x, block.up.unpacked(), block.up.bias)


@pytest.mark.gpu
@torch.inference_mode()
def test_cuda_graph_on_a_new_stream_says_what_to_do():
    block, x = Block("cuda"), random_rows(1, "cuda")
    block(x)
    with pytest.raises(libmarlin.Error, match="is being captured, expected a call of libmarlin on it before"):
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=torch.cuda.Stream()):
            block(x)


@pytest.mark.gpu
@torch.inference_mode()
def test_compiled_with_cuda_graphs():
    block = Block("cuda")
    compiled = torch.compile(block, mode="reduce-overhead", fullgraph=True)
    for _ in range(5):
        x = random_rows(4, "cuda")
        torch.testing.assert_close(compiled(x).clone(), block(x))
