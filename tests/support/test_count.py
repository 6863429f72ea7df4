"""Counts of what the test runners of the languages write."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import count

GO = """# example.org/marlin
{"Action":"start","Package":"p"}
{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"--- PASS: TestA"}
{"Action":"pass","Package":"p","Test":"TestA","Elapsed":0}
{"Action":"skip","Package":"p","Test":"TestGpu","Elapsed":0}
{"Action":"fail","Package":"p","Test":"TestB/one","Elapsed":0}
{"Action":"fail","Package":"p","Test":"TestB","Elapsed":0}
{"Action":"fail","Package":"p","Elapsed":0.1}
"""
CARGO = """running 2 tests
test a ... ok
test b ... ignored, needs a GPU

test result: ok. 1 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s

test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s
"""
XML = """<testsuite><testcase name="a"/><testcase name="b"><failure/></testcase>
<testcase name="c"><skipped/></testcase></testsuite>"""


@pytest.fixture
def stage(tmp_path):
    """A folder whose stage succeeded."""
    folder = tmp_path / "rust"
    folder.mkdir()
    (folder / "exit").write_text("0\n")
    return folder


def counts(passed, failed, skipped):
    return {"passed": passed, "failed": failed, "skipped": skipped}


def test_go(stage):
    (stage / "go-test.json").write_text(GO)
    assert count.count_stage(stage) == counts(1, 2, 1)


def test_cargo(stage):
    (stage / "cargo-test.txt").write_text(CARGO)
    assert count.count_stage(stage) == counts(4, 2, 1)


def test_xml(stage):
    (stage / "pytest.xml").write_text(XML)
    assert count.count_stage(stage) == counts(1, 1, 1)


def test_reports_add_up(stage):
    (stage / "pytest.xml").write_text(XML)
    (stage / "go-test.json").write_text(GO)
    (stage / "cargo-test.txt").write_text(CARGO)
    assert count.count_stage(stage) == counts(6, 5, 3)


def test_a_failed_stage_counts_even_where_no_test_failed(stage):
    (stage / "exit").write_text("1\n")
    (stage / "cargo-test.txt").write_text("error: could not compile")
    assert count.count_stage(stage) == counts(0, 1, 0)


def test_a_stage_without_reports_is_one_test_unless_it_only_prepares(stage):
    assert count.count_stage(stage) == counts(1, 0, 0)
    for name in ("build-cpu", "install"):
        assert count.count_stage(stage.rename(stage.parent / name)) == counts(0, 0, 0)
        stage = stage.parent / name
