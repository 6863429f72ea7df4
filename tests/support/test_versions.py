"""The version is written once, in CMakeLists.txt; what must repeat it repeats it."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def read(path):
    return (ROOT / path).read_text()


VERSION = re.search(r"project\(marlin VERSION ([0-9.]+)", read("CMakeLists.txt"))[1]


def test_header():
    parts = [re.search(rf"#define MARLIN_VERSION_{part} (\d+)", read("capi/include/marlin/marlin.h"))[1]
             for part in ("MAJOR", "MINOR", "PATCH")]
    assert ".".join(parts) == VERSION


def test_rust_crates():
    workspace = read("bindings/rust/Cargo.toml")
    assert re.search(r'\[workspace\.package\][^\[]*?^version = "([0-9.]+)"', workspace, re.MULTILINE | re.DOTALL)[1] == VERSION
    for manifest in sorted((ROOT / "bindings/rust").glob("libmarlin*/Cargo.toml")):
        text = manifest.read_text()
        assert "version.workspace = true" in text, manifest
        for other in re.findall(r'^libmarlin(?:-sys)? = \{[^}]*version = "=?([0-9.]+)"', text, re.MULTILINE):
            assert other == VERSION, manifest
    for other in re.findall(r'^libmarlin(?:-sys)? = \{[^}]*version = "=?([0-9.]+)"', workspace, re.MULTILINE):
        assert other == VERSION


def test_python_distribution_reads_it():
    text = read("bindings/python/pyproject.toml")
    assert 'input = "../../CMakeLists.txt"' in text
    assert re.search(re.search(r"regex = '(.*)'", text)[1], read("CMakeLists.txt"))["value"] == VERSION


def test_changelog_has_it():
    assert re.search(rf"^## {re.escape(VERSION)} - ", read("CHANGELOG.md"), re.MULTILINE)
