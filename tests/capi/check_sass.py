"""What must not be in machine code: wgmma.py and copies.py say what and why.

    cuobjdump -sass libmarlin.so | python3 check_sass.py

A line for everything found, and a summary of each check; the exit status says whether there was anything.
"""

import sys

import copies
import wgmma
from sass import functions


def passes(check, kernels):
    checked = 0
    wrong = 0
    for name, instructions in kernels:
        places, lines = check.look(instructions)
        checked += places
        wrong += len(lines)
        for line in lines:
            print(f"{name} {line}")
    print(check.SUMMARY.format(checked, wrong))
    return checked > 0 and wrong == 0


if __name__ == "__main__":
    kernels = functions(sys.stdin)
    outcomes = [passes(check, kernels) for check in (wgmma, copies)]
    sys.exit(0 if all(outcomes) else 1)
