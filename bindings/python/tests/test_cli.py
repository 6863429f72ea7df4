"""The command marlin, as a user runs it."""

import json
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import libmarlin

HAS_TYPER = not any(__import__("importlib.util").util.find_spec(name) is None for name in ("typer", "rich"))
needs_typer = pytest.mark.skipif(not HAS_TYPER, reason="typer and rich are not installed: libmarlin[cli]")
SMALL = "gemm f16 s4 g64 m3 n72 k200 bias"
# As where neither is installed: a finder that refuses both.
WITHOUT_TYPER = """
import importlib.util, sys
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name in ("typer", "rich") else find(name, *rest)
from libmarlin.cli import main
main()
"""


def run(*arguments, code=None, status=0):
    command = [sys.executable, "-c", code] if code else [sys.executable, "-m", "libmarlin"]
    environment = {"PATH": "/usr/bin:/bin", "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}
    loader = __import__("os").environ.get("LD_LIBRARY_PATH")
    done = subprocess.run(
        command + list(arguments),
        capture_output=True,
        text=True,
        env=environment | ({"LD_LIBRARY_PATH": loader} if loader else {}),
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done


def test_entry_point():
    (entry,) = [entry for entry in entry_points(group="console_scripts") if entry.name == "marlin"]
    assert entry.value == "libmarlin.cli:main"


@pytest.mark.parametrize("code", [None, WITHOUT_TYPER])
def test_doctor(code):
    text = run("doctor", code=code).stdout
    with libmarlin.Handle("cpu") as handle:
        info = handle.info
    for words in (f"libmarlin {libmarlin.version()}", f"{info.name}, {info.num_threads} threads", "cpu_reference",
                  "libmarlin works here"):  # fmt: skip
        assert words in text
    report = json.loads(run("doctor", "--json", code=code).stdout)
    assert report["library"]["version"] == libmarlin.version()
    assert Path(report["library"]["path"]).name == "libmarlin.so.0"
    assert report["cpu"]["isa"] == info.name and report["errors"] == []
    assert report["packages"]["numpy"] is not None


def test_without_typer_the_rest_says_what_is_missing():
    for command in ("bench", "check"):
        assert f"{command} needs typer and rich: pip install 'libmarlin[cli]'" in run(
            command, code=WITHOUT_TYPER, status=2
        ).stderr  # fmt: skip
    assert "unknown arguments: --wrong" in run("doctor", "--wrong", code=WITHOUT_TYPER, status=2).stderr


def test_doctor_says_what_is_wrong(monkeypatch):
    from libmarlin.cli import _doctor, _doctor_text
    from libmarlin.cli._driver import Driver

    def judged(driver, cuda):
        monkeypatch.setattr(_doctor, "ask_driver", lambda: driver)
        build = libmarlin.build_info() | {"cuda": cuda}
        monkeypatch.setattr(libmarlin, "build_info", lambda: build)
        report = _doctor.examine()
        return report, "\n".join(_doctor_text.to_lines(report))

    report, text = judged(Driver(found=True, cuda="13.0", gpus=[("NVIDIA Test", 90)]), "")
    assert "built without CUDA: to use it, install a build with CUDA" in text and not report["errors"]
    assert "gpu 0        NVIDIA Test, compute capability 9.0, NOT usable" in text
    report, text = judged(Driver(version="580.65.06", problem="libcuda.so.1: no such file"), "13.0")
    assert "ERROR: there is an NVIDIA GPU, but its driver's library cannot be loaded" in text
    assert text.endswith("1 of the above must be mended.")
    report, text = judged(Driver(found=True, cuda="13.0", problem="cuInit failed: CUDA_ERROR_UNKNOWN (999)"), "13.0")
    assert "ERROR: the NVIDIA driver does not work: cuInit failed" in text


@needs_typer
def test_help():
    text = run("--help").stdout
    assert all(command in text for command in ("doctor", "bench", "check"))
    for command in ("doctor", "bench", "check"):
        assert "--json" in run(command, "--help").stdout
    assert run("--version").stdout == f"libmarlin {libmarlin.version()}\n"


@needs_typer
def test_bench(tmp_path):
    plot = tmp_path / "plot.svg"
    problems = tmp_path / "problems"
    problems.write_text(f"# a comment\n{SMALL} # cpu_reference\n")
    arguments = ["bench", "sp_gemm bf16 u4 g32 m1 n64 k64 cf32", f"@{problems}", "--seconds", "0", "--device", "cpu"]
    report = json.loads(run(*arguments, "--json").stdout)
    assert report["version"] == libmarlin.version()
    first, second = report["results"]
    assert (first["problem"], second["problem"]) == ("sp_gemm bf16 u4 g32 m1 n64 k64 cf32", SMALL)
    assert first["us"] >= first["us_best"] > 0 and first["kernel"].startswith("cpu_")
    assert first["gbps"] == pytest.approx(first["weight_bytes"] / first["us"] / 1e3)
    assert second["gflops"] == pytest.approx(2 * 3 * 72 * 200 / second["us"] / 1e3)
    assert SMALL in run(*arguments, "--no-numpy").stdout
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        assert "matplotlib is not installed" in run(*arguments, "--plot", str(plot), status=2).stderr
    else:
        run(*arguments, "--plot", str(plot))
        assert "<svg" in plot.read_text()


@needs_typer
def test_check():
    report = json.loads(run("check", SMALL, "sp_gemm f32 u4 g32 m2 n40 k96", "--json", "--device", "cpu").stdout)
    assert report["failed"] == 0
    names = {result["on"] for result in report["results"]}
    assert "reference" in names and len(report["results"]) == 2 * len(names)
    text = run("check", SMALL, "--isa", "reference").stdout
    assert "1 passed, 0 failed" in text


@needs_typer
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["bench", "gemm f16 s4"], 'problem "gemm f16 s4": m, n, k are 1, 0, 0, expected 1 or more of each'),
        (["bench", "gem f16 s4 g32 m1 n8 k8"], "expected a form such as"),
        (["bench", "gemm f16 s4 g32 m1 n8 k8 zu8"], "zero type is u8, expected none for s4"),
        (["check", "gemm f16 s4 g32 m1 n8 k8 x"], 'word "x" is not understood'),
        (["check", "gemm f16 s4 g48 m1 n8 k8"], "group_size is 48, expected 32, 64, 128 or -1"),
        (["check", "--isa", "avx9"], "cpu_isa is 'avx9', expected one of"),
        (["bench", "@/nowhere"], "/nowhere cannot be read (No such file or directory)"),
        (["bench", "--seconds", "many"], "--seconds"),
        (["wrong"], "No such command 'wrong'"),
    ],
)
def test_errors(arguments, words):
    done = run(*arguments, status=2)
    assert words in " ".join(done.stderr.replace("│", " ").split()) and not done.stdout


def test_problem_texts():
    from libmarlin.cli._problem import parse

    for text in (SMALL, "sp_gemm bf16 u4 gcol m1 n8 k16 cf32 sbf16 zf16 biasf16 perm", "gemm f32 u4 g32 m7 n1 k1"):
        assert str(parse(text)) == text
    assert str(parse(" gemm f16,s4 g32 n8 k8 cf16 # kernel")) == "gemm f16 s4 g32 m1 n8 k8"


def test_the_reference_finds_errors():
    np = pytest.importorskip("numpy")
    from libmarlin.cli._case import make_case
    from libmarlin.cli._place import Place
    from libmarlin.cli._problem import parse
    from libmarlin.cli._reference import check_grid, check_problem, weight_values, worst_share

    place = Place("cpu")
    for problem in check_grid(False, False)[::7]:
        assert check_problem(place, problem) <= 1, problem
    case = make_case(parse("gemm f32 u4 g32 m2 n8 k64"))
    right = case.a @ weight_values(case)[0]
    assert worst_share(case, right, False) <= 1
    wrong = right.copy()
    wrong[1, 5] += 1e-3
    assert worst_share(case, wrong, False) > 1
    wrong[1, 5] = np.nan
    assert worst_share(case, wrong, False) == float("inf")
