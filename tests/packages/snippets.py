"""Takes the snippets out of a page of docs/, so that check.sh can compile and run every one of them.

usage: snippets.py PAGE PRELUDE OUTPUT

A ```c or ```cpp block with a main() is program.c or program.cpp; the others, in their order, make fragments.c or
fragments.cpp: PRELUDE has what they stand in, with a line SNIPPETS. What follows the language on the line of the fence
sends a block elsewhere: `global` before main(), at a line GLOBALS; `cuda` into cuda.c or cuda.cpp, at CUDA. A ```cmake
block becomes CMakeLists.txt. ```sh blocks that speak of the program become program.sh, to be run where it lies; the
others 1.sh, 2.sh and so on, to be run at the top of the sources.
"""

import re
import sys
from pathlib import Path


def blocks(text):
    """Yield (language, kind, text) of every fenced block that names a language."""
    for match in re.finditer(r"^```(\w+)[ ]?(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield match.groups()


def main():
    page, prelude, output = map(Path, sys.argv[1:])
    language = prelude.suffixes[0][1:]
    placed = {"SNIPPETS": [], "GLOBALS": [], "CUDA": []}
    programs, scripts, projects = [], [], []
    for found, kind, text in blocks(page.read_text()):
        if found == "sh":
            scripts.append(text)
        elif found == "cmake":
            projects.append(text)
        elif found != language:
            sys.exit(f"{page}: a block of language {found}, expected {language}, sh or cmake")
        elif kind:
            placed["GLOBALS" if kind == "global" else kind.upper()].append(text)
        elif " main(" in text:
            programs.append(text)
        else:
            placed["SNIPPETS"].append("{\n" + text + "}\n")
    if len(programs) != 1 or len(projects) != 1 or not placed["SNIPPETS"]:
        sys.exit(f"{page}: {len(programs)} programs, {len(projects)} CMake projects, expected one of each, and snippets")

    output.mkdir(parents=True, exist_ok=True)
    (output / f"program.{language}").write_text(programs[0])
    (output / "CMakeLists.txt").write_text(projects[0])
    of_program = [script for script in scripts if "program" in script]
    (output / "program.sh").write_text("set -e\n" + "".join(of_program))
    for number, script in enumerate((script for script in scripts if script not in of_program), 1):
        (output / f"{number}.sh").write_text("set -e\n" + script)
    for name, cuda in ((f"fragments.{language}", False), (f"cuda.{language}", True)):
        text = prelude.read_text()
        for place, pieces in placed.items():
            wanted = cuda if place == "CUDA" else place != "SNIPPETS" or not cuda
            written = "".join(pieces) if wanted else ""
            text = re.sub(rf"^ *{place}\n", written.replace("\\", r"\\"), text, flags=re.MULTILINE)
        if cuda:
            text = text.replace("#include <marlin", "#include <cuda_runtime.h>\n#include <marlin", 1)
        (output / name).write_text(text)
    print(f"{page}: {sum(map(len, placed.values())) + 1} snippets, {len(scripts)} scripts")


if __name__ == "__main__":
    main()
