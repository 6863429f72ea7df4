"""Puts the JSON parts of tests/gpu/run.sh into one document on standard output, all of one commit.

usage: merge.py FOLDER COMMIT
"""

import json
import subprocess
import sys
from pathlib import Path


def describe_gpu():
    """Name, driver and clocks as nvidia-smi gives them, or None where it is missing."""
    fields = "name,driver_version,clocks.max.sm,clocks.max.memory,power.limit"
    try:
        command = ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader"]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    first = output.splitlines()[0].split(", ")
    return dict(zip(fields.split(","), first, strict=True))


def main():
    folder, commit = Path(sys.argv[1]), sys.argv[2]
    stages = []
    for path in sorted(folder.glob("*.json")):
        part = json.loads(path.read_text() or "null")
        if not isinstance(part, dict) or "stage" not in part:
            continue
        if part["commit"] != commit:
            sys.exit(f"merge.py: {path.name} is of commit {part['commit']}, expected {commit}")
        stages.append(part)
    bench = [json.loads(path.read_text()) for path in sorted((folder / "bench").glob("*.json"))]
    json.dump({"commit": commit, "gpu": describe_gpu(), "stages": stages, "bench": bench}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
