"""Adds one step of check.sh to a JUnit file: junit.py add FILE NAME STATUS SECONDS LOG. Status 77 means skipped."""

import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path


def main():
    _, path, name, status, seconds, log = sys.argv[1:]
    path = Path(path)
    suite = ET.parse(path).getroot() if path.exists() else ET.Element("testsuite", name="packages")
    case = ET.SubElement(suite, "testcase", classname="packages", name=name, time=seconds)
    said = re.sub(r"[^\t\n -~]", "?", Path(log).read_text(errors="replace"))
    if status == "77":
        ET.SubElement(case, "skipped", message=said.strip().rpartition("\n")[2])
    elif status != "0":
        ET.SubElement(case, "failure", message=f"exit status {status}").text = said
    ET.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)


if __name__ == "__main__":
    main()
