"""Machine code as cuobjdump -sass prints it."""

import re

FUNCTION = re.compile(r"Function : (\S+)")
INSTRUCTION = re.compile(r"^\s+/\*([0-9a-f]{4,5})\*/\s+(.*?)\s*;")
BRANCH = re.compile(r"\bBRA\S*(?: !?U?P\w+,)? (0x[0-9a-f]+)")
PREDICATE = re.compile(r"^@!?U?P\w+\s+")


def functions(lines):
    """Return each kernel's name and its instructions: address and text."""
    found = []
    for line in lines:
        if match := FUNCTION.search(line):
            found.append((match[1], []))
        elif (match := INSTRUCTION.match(line)) and found:
            found[-1][1].append((int(match[1], 16), match[2]))
    return found


def branch_target(text):
    """Return the address that an instruction branches to, or None."""
    match = BRANCH.search(text)
    return int(match[1], 16) if match else None
