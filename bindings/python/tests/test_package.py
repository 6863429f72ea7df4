"""The package as installed: what it imports, what it contains, and that stubs and version match the real thing."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import libmarlin
from libmarlin import _native, native

FOLDER = Path(libmarlin.__file__).parent


def test_imports_no_array_library():
    code = "import sys, json, libmarlin; print(json.dumps(sorted(m.partition('.')[0] for m in sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"numpy", "torch", "cupy"} & set(json.loads(run.stdout))


def test_one_module_for_all_pythons_and_the_library_beside_it():
    assert Path(_native.__file__).name == "_native.abi3.so"
    assert (FOLDER / "py.typed").exists()
    library = next(FOLDER.glob("libmarlin.so.*"))
    maps = Path("/proc/self/maps").read_text()
    assert {line.split()[-1] for line in maps.splitlines() if "libmarlin.so" in line} == {str(library.resolve())}


def test_wheel():
    from importlib.metadata import distribution

    installed = distribution("libmarlin")
    assert "Tag: cp311-abi3-" in installed.read_text("WHEEL")
    assert "Apache License" in installed.read_text("licenses/LICENSE")
    # Nothing is needed to multiply: all requirements are of extras.
    assert all("extra ==" in requirement for requirement in installed.requires)


def test_version():
    from importlib.metadata import version

    assert libmarlin.version() == libmarlin.__version__ == version("libmarlin") == libmarlin.build_info()["version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", libmarlin.version())
    top = Path(__file__).resolve().parents[3] / "CMakeLists.txt"
    assert f"project(marlin VERSION {libmarlin.version()}" in top.read_text()


def test_build_info():
    assert {"version", "commit", "cuda", "architectures", "cpu_kernels"} <= set(libmarlin.build_info())


def stub(name):
    return ast.parse((FOLDER / name).read_text()).body


def test_stub_says_what_the_native_module_has():
    known = set()
    for node in stub("native.pyi"):
        if isinstance(node, ast.AnnAssign):
            known.add(node.target.id)
            assert isinstance(getattr(native, node.target.id), int)
        elif isinstance(node, ast.FunctionDef):
            known.add(node.name)
            assert callable(getattr(native, node.name))
        elif isinstance(node, ast.ClassDef):
            known.add(node.name)
            fields = {name for name, value in vars(getattr(native, node.name)).items() if isinstance(value, property)}
            assert fields - {"thisown"} == {field.target.id for field in node.body}
    public = {name for name in vars(native) if name.startswith("marlin_")} | {
        name for name in vars(native) if name.startswith("MARLIN_") and not name.endswith("FORCE_32")
    }
    assert public - known == {"MARLIN_VERSION", "MARLIN_VERSION_MAJOR", "MARLIN_VERSION_MINOR", "MARLIN_VERSION_PATCH"}
    for node in stub("_native.pyi"):
        if isinstance(node, ast.FunctionDef):
            assert callable(getattr(_native, node.name))


@pytest.mark.parametrize(
    ("enum", "prefix"),
    [
        (libmarlin.Status, "MARLIN_STATUS"), (libmarlin.Type, "MARLIN_TYPE"), (libmarlin.Layout, "MARLIN_LAYOUT"),
        (libmarlin.Source, "MARLIN_SOURCE"), (libmarlin.CpuIsa, "MARLIN_CPU_ISA"), (libmarlin.Math, "MARLIN_MATH"),
        (libmarlin.Sparsity, "MARLIN_SPARSITY"), (libmarlin.Order, "MARLIN_ORDER"), (libmarlin.LogLevel, "MARLIN_LOG"),
        (libmarlin.ScaleMethod, "MARLIN_SCALE"), (libmarlin.Device, "MARLIN_DEVICE"),
    ],
)  # fmt: skip
def test_enumerations_are_complete(enum, prefix):
    if enum is libmarlin.Status:
        names = {native.marlin_status_name(number).removeprefix("MARLIN_") for number in range(9)}
    else:
        names = {name.removeprefix(prefix + "_") for name in vars(native) if name.startswith(prefix + "_")}
    assert {member.name for member in enum} == names - {"FORCE_32", "ERROR"} | ({"ERROR"} & set(enum.__members__))


def test_everything_public_is_documented():
    for name in libmarlin.__all__:
        value = getattr(libmarlin, name)
        if callable(value):
            assert value.__doc__, name
            for member in vars(value) if isinstance(value, type) else ():
                attribute = getattr(value, member)
                if not member.startswith("_") and callable(attribute):
                    assert attribute.__doc__, f"{name}.{member}"
