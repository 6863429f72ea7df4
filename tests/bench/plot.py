"""Draws docs/benchmarks with matplotlib: speed-up over m, share of the limit, and the roofline.

usage: plot.py RESULTS.json FOLDER

Writes NAME-speedup.svg, NAME-share.svg and NAME-roofline.svg into FOLDER, where NAME is that of RESULTS.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
from results import DENSE, SPARSE, Results

KINDS = {DENSE: ("dense", "#1f5fa8"), SPARSE: ("2:4 sparse", "#c4541a")}
COLUMNS = 4
PEAKS = {"H100": 990e12, "H200": 990e12, "A100": 312e12}  # FLOP/s of dense FP16, as tests/bench/limit.cpp has them


def use_style():
    plt.switch_backend("svg")
    plt.rcParams.update(
        {
            "svg.hashsalt": "marlin",  # the same file from the same results
            "svg.fonttype": "none",
            "font.size": 9,
            "axes.grid": True,
            "grid.alpha": 0.3,
            "axes.spines.top": False,
            "axes.spines.right": False,
        }
    )


def save(figure, folder, name):
    figure.savefig(Path(folder) / f"{name}.svg", metadata={"Date": None}, bbox_inches="tight")
    plt.close(figure)


def grid_line(results, kind, shape):
    batches = results.grid_batches(kind)
    return [cell for cell in results.line(kind, shape) if cell.m in batches]


def set_batches(axes, batches):
    axes.set_xscale("log", base=2)
    shown = [m for m in batches if (m & (m - 1)) == 0][::2]
    axes.set_xticks(shown, [str(m) for m in shown])
    axes.minorticks_off()


def draw_speedup(results, folder):
    """A panel a shape: both kinds, and how far the limit would let them go."""
    shapes = results.grid_shapes(DENSE)
    rows = -(-len(shapes) // COLUMNS)
    size = (3.2 * COLUMNS, 2.5 * rows + 0.8)
    figure, panels = plt.subplots(
        rows, COLUMNS, figsize=size, sharex=True, sharey=True, squeeze=False, layout="constrained"
    )
    for axes in panels.flat[len(shapes) :]:
        axes.set_visible(False)
    for axes, shape in zip(panels.flat, shapes, strict=False):
        for kind, (label, colour) in KINDS.items():
            cells = [cell for cell in grid_line(results, kind, shape) if cell.speedup is not None]
            if not cells:
                continue
            batches = [cell.m for cell in cells]
            axes.plot(batches, [cell.speedup for cell in cells], "o-", ms=3, color=colour, label=label)
            limits = [cell.cublas_us / cell.limit_us for cell in cells]
            axes.plot(batches, limits, "--", lw=1, color=colour, alpha=0.6, label=f"limit, {label}")
            set_batches(axes, batches)
        axes.axhline(1.0, color="black", lw=0.8)
        axes.set_title(f"n x k = {shape[0]} x {shape[1]}", fontsize=9)
        axes.set_ylim(bottom=0)
    for axes in panels[-1]:
        axes.set_xlabel("m (tokens)")
    figure.supylabel("speed-up over cuBLAS FP16")
    figure.legend(*panels.flat[0].get_legend_handles_labels(), ncols=4, loc="outside lower center")
    figure.suptitle(f"{results.document['gpu']}, 4-bit weights, groups of 128")
    save(figure, folder, f"{results.name}-speedup")


def draw_share(results, folder):
    """A panel a kind, a line a shape."""
    figure, panels = plt.subplots(1, len(KINDS), figsize=(10, 3.6), sharey=True, layout="constrained")
    colours = plt.get_cmap("viridis")
    for axes, (kind, (label, _)) in zip(panels, KINDS.items(), strict=True):
        shapes = results.grid_shapes(kind)
        for i, shape in enumerate(shapes):
            cells = grid_line(results, kind, shape)
            batches = [cell.m for cell in cells]
            colour = colours(i / max(1, len(shapes) - 1) * 0.9)
            axes.plot(
                batches, [100 * c.share for c in cells], "o-", ms=3, color=colour, label=f"{shape[0]} x {shape[1]}"
            )
            set_batches(axes, batches)
        axes.set_title(label, fontsize=9)
        axes.set_xlabel("m (tokens)")
        axes.set_ylim(0, 100)
    panels[0].set_ylabel("share of the limit, %")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right center", title="n x k")
    figure.suptitle(results.document["gpu"])
    save(figure, folder, f"{results.name}-share")


def draw_roofline(results, folder):
    """Square layers: TFLOP/s over operations a byte, under the memory's slope and the tensor cores' ceiling."""
    figure, axes = plt.subplots(figsize=(7, 4.2))
    markers = "osD^v<>"
    cells = [r for r in results.all if r.kind in KINDS and r.n == r.k]
    shapes = sorted({r.shape for r in cells})
    for kind, (label, colour) in KINDS.items():
        for shape, marker in zip(shapes, markers, strict=False):
            line = results.line(kind, shape)
            axes.plot(
                [cell.operations / cell.bytes_moved for cell in line],
                [cell.operations / cell.us * 1e-6 for cell in line],
                marker + "-",
                ms=4,
                lw=0.8,
                color=colour,
                label=f"{label} {shape[0] // 1024}k",
            )
    bandwidth = max(cell.packed_bytes / cell.read_us * 1e6 for cell in cells)
    intensities = [cell.operations / cell.bytes_moved for cell in cells]
    peaks = [peak for name, peak in PEAKS.items() if name in results.document["gpu"]]
    ceiling = peaks[0] if peaks else max(cell.operations / cell.us * 1e6 for cell in cells)
    low, high = min(intensities), max(intensities)
    slope = [low, max(low, min(high, 2 * ceiling / bandwidth))]
    axes.plot(slope, [x * bandwidth * 1e-12 for x in slope], "-", color="black", lw=1)
    for factor, name in ((1, "dense"), (2, "2:4 sparse")) if peaks else ():
        text = f"{factor * ceiling * 1e-12:.0f} TFLOP/s, {name}"
        axes.text(high, factor * ceiling * 1.05e-12, text, ha="right", va="bottom", fontsize=7)
        axes.plot([factor * ceiling / bandwidth, high], [factor * ceiling * 1e-12] * 2, "-", color="black", lw=1)
    axes.text(low, 1.6 * low * bandwidth * 1e-12, f"{bandwidth * 1e-12:.2f} TB/s read", fontsize=7, va="bottom")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("operations a byte (2 m n k over weights, activations and output)")
    axes.set_ylabel("TFLOP/s")
    axes.set_title(f"{results.document['gpu']}: square layers, m = 1 to {max(cell.m for cell in cells)}", fontsize=10)
    axes.legend(fontsize=7, ncols=2, loc="lower right")
    save(figure, folder, f"{results.name}-roofline")


def main():
    results = Results(sys.argv[1])
    folder = Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    use_style()
    draw_speedup(results, folder)
    draw_share(results, folder)
    draw_roofline(results, folder)


if __name__ == "__main__":
    main()
