"""Whether the loops that copy to shared memory keep what they count with in uniform registers.

    cuobjdump -sass libmarlin.so | python3 copies.py

One thread goes through them, for every stage. Where the compiler does not see that (what stands beside such a loop
decides), each address takes its way from a register of the thread to a uniform one (R2UR) again and again; small tiles
take 3 to 7 % longer then. One line for every such loop; the exit status says whether there were any.
"""

import sys

from sass import branch_target, functions

COPIES = ("UBLKCP", "UTMALDG")


def shortest_loop(instructions, copy):
    """Return the instructions of the shortest loop that has one of that kind, or None."""
    shortest = None
    for address, text in instructions:
        target = branch_target(text)
        if target is None or target >= address:
            continue
        loop = [body for at, body in instructions if target <= at <= address]
        if any(copy in body for body in loop) and (shortest is None or len(loop) < len(shortest)):
            shortest = loop
    return shortest


def main():
    checked = 0
    wrong = 0
    for name, instructions in functions(sys.stdin):
        for copy in COPIES:
            loop = shortest_loop(instructions, copy)
            if loop is None:
                continue
            checked += 1
            moves = sum("R2UR" in text for text in loop)
            if moves > 0:
                wrong += 1
                print(f"{name}: {moves} R2UR in the loop with {copy}, expected none")
    print(f"{checked} loops with copies, {wrong} that leave the uniform registers")
    return 1 if wrong or not checked else 0


if __name__ == "__main__":
    sys.exit(main())
