"""Adds up the results of ./dev test: one line 'N passed, N failed, N skipped', and exit 1 where anything failed.

Every folder under the one given is a stage: `exit` holds its exit status; *.xml is what CTest or pytest say, go-*.json
what `go test -json` says, cargo-*.txt what `cargo test` says.
"""

import json
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path


def outcome(case):
    if case.find("failure") is not None or case.find("error") is not None or case.get("status") == "fail":
        return "failed"
    if case.find("skipped") is not None or case.get("status") in ("disabled", "notrun"):
        return "skipped"
    return "passed"


def count_case(case, stage, counts):
    """A Catch2 executable is one CTest test: its own count file has the test cases in it."""
    result = outcome(case)
    own_counts = stage / f"{case.get('name')}.json"
    if own_counts.exists():
        own = json.loads(own_counts.read_text())
        for key, value in own.items():
            counts[key] += value
        # A run can fail after its last test case: a leak report, an abort in a destructor.
        if result != "failed" or own["failed"] > 0:
            return
    counts[result] += 1


def count_xml(report, counts):
    for case in ET.parse(report).getroot().iter("testcase"):
        count_case(case, report.parent, counts)


GO_OUTCOMES = {"pass": "passed", "fail": "failed", "skip": "skipped"}


def count_go(report, counts):
    """One event a line; a package's own outcome names no test, and a test with subtests is a test of its own."""
    for line in report.read_text().splitlines():
        if not line.startswith("{"):
            continue  # what the compiler says stands between the events
        event = json.loads(line)
        if "Test" in event and event["Action"] in GO_OUTCOMES:
            counts[GO_OUTCOMES[event["Action"]]] += 1


CARGO_RESULT = re.compile(r"^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored;", re.MULTILINE)


def count_cargo(report, counts):
    """One result line for each test program, and one for the examples of the documentation."""
    for passed, failed, ignored in CARGO_RESULT.findall(report.read_text()):
        counts["passed"] += int(passed)
        counts["failed"] += int(failed)
        counts["skipped"] += int(ignored)


REPORTS = {"*.xml": count_xml, "go-*.json": count_go, "cargo-*.txt": count_cargo}


def count_stage(stage):
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    reports = 0
    for pattern, count in REPORTS.items():
        for report in sorted(stage.glob(pattern)):
            reports += 1
            count(report, counts)
    succeeded = (stage / "exit").read_text().strip() == "0"
    if not succeeded and counts["failed"] == 0:
        counts["failed"] = 1
    if succeeded and not reports and not stage.name.startswith(("build", "install")):
        counts["passed"] = 1
    return counts


def main():
    total = {"passed": 0, "failed": 0, "skipped": 0}
    print(f"{'stage':<16}{'passed':>8}{'failed':>8}{'skipped':>8}")
    for exit_file in sorted(Path(sys.argv[1]).glob("*/exit")):
        stage = exit_file.parent
        counts = count_stage(stage)
        print(f"{stage.name:<16}{counts['passed']:>8}{counts['failed']:>8}{counts['skipped']:>8}")
        for key, value in counts.items():
            total[key] += value
    print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    return 1 if total["failed"] or not total["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
