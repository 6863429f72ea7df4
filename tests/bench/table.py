"""Writes the tables of docs/performance.md from docs/benchmarks.

usage: table.py RESULTS.json PAGE.md

They go between the lines '<!-- NAME -->' and '<!-- end of NAME -->' of the page, where NAME is that of RESULTS.
"""

import sys
from pathlib import Path

from results import DENSE, SPARSE, Results, geometric_mean

# What plot.py draws, in the folder plots beside the page.
PLOTS = {
    "speedup": "Speed-up over cuBLAS by tokens, a panel a shape",
    "share": "Share of the limit by tokens",
    "roofline": "Square layers under the roofline",
}


def format_table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def describe(results):
    document = results.document
    clocks = document["clocks"]
    text = (
        f"{document['gpu']}, driver {document['driver']}, CUDA {document['cuda']}, cuBLAS {document['cublas']}, at "
        f"most {clocks['max_sm_mhz']} MHz and {clocks['power_limit_w']} W; commit {document['commit']}, "
        f"{document['date'][:10]}."
    )
    if results.missing:
        text += f"\nWithout a result: {len(results.missing)} problems, see the file."
    return text


def grid_table(results, kind, value, text, mean_row):
    """Shapes down, batches across; batches without any value are left out."""
    shapes = results.grid_shapes(kind)
    batches = [
        m
        for m in results.grid_batches(kind)
        if any(cell and value(cell) is not None for cell in (results.cell(kind, shape, m) for shape in shapes))
    ]
    rows = []
    values = {}
    for shape in shapes:
        row = [f"{shape[0]} x {shape[1]}"]
        for m in batches:
            cell = results.cell(kind, shape, m)
            found = None if cell is None else value(cell)
            row.append("-" if found is None else text.format(found))
            if found is not None:
                values.setdefault(m, []).append(found)
        rows.append(row)
    if mean_row:
        rows.append(
            ["geometric mean", *(text.format(geometric_mean(values[m])) if m in values else "-" for m in batches)]
        )
    return format_table(["n x k", *(f"m = {m}" for m in batches)], rows)


def kinds_table(results, base):
    """The other kinds of weights: times of the base kind at the same shape and batch."""
    call = base.split()[0]
    others = [kind for kind in results.kinds() if kind.split()[0] == call and kind != base]
    cells = sorted(
        {(r.n * r.k, r.shape, r.m) for r in results.all if r.kind in others and results.cell(base, r.shape, r.m)}
    )
    rows = []
    for kind in others:
        row = [kind]
        for _, shape, m in cells:
            cell = results.cell(kind, shape, m)
            row.append("-" if cell is None else f"{cell.us / results.cell(base, shape, m).us:.2f}")
        rows.append(row)
    return format_table(["problem", *(f"{n} x {k}, m = {m}" for _, (n, k), m in cells)], rows)


def dependent_launches(result):
    """Times without and with them; None where that was not measured."""
    if result.dependent_launch_us is None:
        return None
    return f"{result.us:.1f}, {result.dependent_launch_us:.1f}"


def batch_invariant(result):
    """The time with it over that without; None where that was not measured."""
    return result.batch_invariant_us / result.us if result.batch_invariant_us else None


def sections(results):
    yield describe(results)
    for plot, title in PLOTS.items():
        yield f"![{title}](plots/{results.name}-{plot}.svg)"
    for kind, title in [(DENSE, "Dense"), (SPARSE, "2:4 sparse")]:
        if not results.grid_shapes(kind):
            continue
        yield f"{title}, `{kind}`: speed-up over cuBLAS FP16."
        yield grid_table(results, kind, lambda r: r.speedup, "{:.2f}", True)
        yield f"{title}, `{kind}`: share of the limit in percent."
        yield grid_table(results, kind, lambda r: 100 * r.share, "{:.0f}", True)
        if any(r.kind == kind and r.dependent_launch_us for r in results.all):
            yield (
                f"{title}, `{kind}`: microseconds, and with dependent launches (`MARLIN_OPTION_DEPENDENT_LAUNCH`), "
                "each beginning while the one before it ends."
            )
            yield grid_table(results, kind, dependent_launches, "{}", False)
        if any(r.kind == kind and r.batch_invariant_us for r in results.all):
            yield (
                f"{title}, `{kind}`: time where a row's bits may not depend on the batch (`MARLIN_MATH_BATCH_INVARIANT`) "
                "over the time otherwise."
            )
            yield grid_table(results, kind, batch_invariant, "{:.2f}", True)
        if kind == DENSE and any(r.kind == kind and r.sm_mhz for r in results.all):
            yield f"{title}, `{kind}`: the SMs' clock in MHz."
            yield grid_table(results, kind, lambda r: r.sm_mhz, "{:.0f}", False)
        if any(r.kind.split()[0] == kind.split()[0] and r.kind != kind for r in results.all):
            yield f"{title}, other kinds of weights: time over that of `{kind}` for the same n, k and m."
            yield kinds_table(results, kind)


def replace_between(page, name, text):
    """The page with `text` between the two marks of that name."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    if page.count(begin) != 1 or page.count(end) != 1 or page.index(begin) > page.index(end):
        sys.exit(f"table.py: the page has no '{begin}' followed by '{end}', expected one of each")
    before, rest = page.split(begin)
    after = rest.split(end)[1]
    return f"{before}{begin}\n{text}\n{end}{after}"


def main():
    results = Results(sys.argv[1])
    path = Path(sys.argv[2])
    path.write_text(replace_between(path.read_text(), results.name, "\n\n".join(sections(results))))


if __name__ == "__main__":
    main()
