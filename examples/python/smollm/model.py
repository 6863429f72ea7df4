"""The forward pass of a Llama, with a cache of keys and values; who multiplies the linear layers is a parameter."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import libmarlin
import numpy as np

from .device import CudaLinear, linear
from .weights import Model

Linear = Callable[[np.ndarray], np.ndarray]


def packed_linears(
    handle: libmarlin.Handle, model: Model, progress: Callable[[int, int], None] = lambda done, total: None
) -> dict[str, libmarlin.Linear | CudaLinear]:
    """Pack every linear layer for the handle's device."""
    layers = {}
    for name, source in model.linears.items():
        layers[name] = linear(handle, source)
        progress(len(layers), len(model.linears))
    return layers


def float_linears(model: Model, progress: Callable[[int, int], None] = lambda done, total: None) -> dict[str, Linear]:
    """Turn every linear layer into FP32 values for NumPy: what the packed ones are compared with."""
    layers: dict[str, Linear] = {}
    for name, source in model.linears.items():
        values = source.dequantise().T
        layers[name] = lambda x, values=values: x @ values
        progress(len(layers), len(model.linears))
    return layers


class Transformer:
    """A sequence being read and written: logits for new tokens, given all that came before."""

    def __init__(self, model: Model, linears: dict[str, Linear], capacity: int) -> None:
        config = model.config
        if capacity > config.context:
            raise ValueError(f"capacity is {capacity}, expected at most the context of {config.context} tokens")
        self.model = model
        self.linears = linears
        self.length = 0  # tokens read so far
        shape = (config.layers, config.kv_heads, capacity, config.head_size)
        self.keys = np.zeros(shape, np.float32)
        self.values = np.zeros(shape, np.float32)
        # The file's rows of attn_q and attn_k stand in llama.cpp's order, in which the two numbers that a rotation
        # turns are neighbours (2i, 2i + 1), not half a head apart as in the checkpoint that it was converted from.
        frequencies = config.rope_base ** (-np.arange(0, config.head_size, 2, dtype=np.float64) / config.head_size)
        angles = np.arange(capacity)[:, None] * frequencies
        self.rotations = np.exp(1j * angles).astype(np.complex64)  # (position, pair)

    @property
    def capacity(self) -> int:
        """Tokens that fit into the cache."""
        return self.keys.shape[2]

    def _norm(self, x: np.ndarray, name: str) -> np.ndarray:
        mean_square = np.mean(np.square(x), axis=-1, keepdims=True)
        return x / np.sqrt(mean_square + np.float32(self.model.config.epsilon)) * self.model.norms[name]

    def _rotate(self, x: np.ndarray, start: int) -> np.ndarray:
        """Rotate the pairs of (tokens, heads, head_size) by their position."""
        pairs = np.ascontiguousarray(x).view(np.complex64)
        return (pairs * self.rotations[start : start + x.shape[0], None]).view(np.float32)

    def _attention(self, x: np.ndarray, layer: int) -> np.ndarray:
        config, block = self.model.config, f"blk.{layer}"
        count, start, end = x.shape[0], self.length, self.length + x.shape[0]
        q = self.linears[f"{block}.attn_q"](x).reshape(count, config.heads, config.head_size)
        k = self.linears[f"{block}.attn_k"](x).reshape(count, config.kv_heads, config.head_size)
        v = self.linears[f"{block}.attn_v"](x).reshape(count, config.kv_heads, config.head_size)
        self.keys[layer, :, start:end] = self._rotate(k, start).swapaxes(0, 1)
        self.values[layer, :, start:end] = v.swapaxes(0, 1)

        # heads / kv_heads queries share a key: (kv_heads, shared * tokens, head_size) times (kv_heads, head_size, end).
        shared = config.heads // config.kv_heads
        q = self._rotate(q, start).reshape(count, config.kv_heads, shared, config.head_size)
        q = q.transpose(1, 2, 0, 3).reshape(config.kv_heads, shared * count, config.head_size)
        scores = q @ self.keys[layer, :, :end].swapaxes(1, 2) / np.float32(np.sqrt(config.head_size))
        scores = scores.reshape(config.kv_heads, shared, count, end)
        if count > 1:  # a token sees itself and what came before
            future = np.arange(end) > np.arange(start, end)[:, None]
            scores[:, :, future] = -np.inf
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        mixed = scores.reshape(config.kv_heads, shared * count, end) @ self.values[layer, :, :end]
        mixed = mixed.reshape(config.kv_heads, shared, count, config.head_size).transpose(2, 0, 1, 3)
        return self.linears[f"{block}.attn_output"](mixed.reshape(count, config.width))

    def _feed_forward(self, x: np.ndarray, layer: int) -> np.ndarray:
        gate = self.linears[f"blk.{layer}.ffn_gate"](x)
        with np.errstate(over="ignore"):  # exp of a large number: its reciprocal is 0, as it should be
            gate = gate / (1 + np.exp(-gate))
        return self.linears[f"blk.{layer}.ffn_down"](gate * self.linears[f"blk.{layer}.ffn_up"](x))

    def read(self, tokens: list[int]) -> np.ndarray:
        """Append tokens to the sequence; return what the last layer makes of each: (tokens, width)."""
        if self.length + len(tokens) > self.capacity:
            raise ValueError(f"{len(tokens)} tokens do not fit, expected at most {self.capacity - self.length} more")
        x = self.model.embedding[tokens]
        for layer in range(self.model.config.layers):
            x = x + self._attention(self._norm(x, f"blk.{layer}.attn_norm"), layer)
            x = x + self._feed_forward(self._norm(x, f"blk.{layer}.ffn_norm"), layer)
        self.length += len(tokens)
        return self._norm(x, "output_norm")

    def logits(self, states: np.ndarray) -> np.ndarray:
        """Turn rows that read returned into scores of the whole vocabulary; the embedding is also the head."""
        return states @ self.model.embedding.T


def generate(transformer: Transformer, state: np.ndarray, stop: set[int], limit: int) -> Iterator[int]:
    """Yield the likeliest next token, again and again, until one of stop or the limit; state: of the last token."""
    for _ in range(min(limit, transformer.capacity - transformer.length)):
        token = int(np.argmax(transformer.logits(state[-1:])))
        if token in stop:
            return
        yield token
        state = transformer.read([token])


def perplexity(
    transformer: Transformer,
    tokens: list[int],
    progress: Callable[[int, int], None] = lambda done, total: None,
    chunk: int = 128,
) -> float:
    """Return exp of the mean surprise of tokens[1:], each given all tokens before it; it reads chunk at a time."""
    surprise = 0.0
    for start in range(0, len(tokens) - 1, chunk):
        read = tokens[start : min(start + chunk, len(tokens) - 1)]
        following = np.array(tokens[start + 1 : start + 1 + len(read)])
        logits = transformer.logits(transformer.read(read))
        top = logits.max(axis=1)
        total = np.log(np.exp(logits - top[:, None]).sum(axis=1, dtype=np.float64)) + top
        surprise += float(np.sum(total - logits[np.arange(len(read)), following]))
        progress(start + len(read), len(tokens) - 1)
    return float(np.exp(surprise / (len(tokens) - 1)))
