"""The plots: that each is drawn, and is the same for the same results."""

import plot
import sample


def draw(tmp_path, monkeypatch, folder):
    square = [sample.entry("gemm f16 s4 g128", m, 16384, 16384, 90.0, cublas_us=None) for m in (1, 64, 4096)]
    results = sample.write(tmp_path / "h200.json", sample.whole_grid() + square)
    monkeypatch.setattr("sys.argv", ["plot.py", str(results), str(tmp_path / folder)])
    plot.main()
    return {path.name: path.read_bytes() for path in (tmp_path / folder).iterdir()}


def test_plots_are_drawn_reproducibly(tmp_path, monkeypatch):
    first = draw(tmp_path, monkeypatch, "first")
    assert sorted(first) == ["h200-roofline.svg", "h200-share.svg", "h200-speedup.svg"]
    assert all(content.startswith(b"<?xml") for content in first.values())
    assert b"8192 x 8192" in first["h200-speedup.svg"]
    assert b"16k" in first["h200-roofline.svg"]
    assert draw(tmp_path, monkeypatch, "second") == first
