"""Whether the loops that copy to shared memory keep what they count with in uniform registers.

One thread goes through them, for every stage. Where the compiler does not see that (what stands beside such a loop
decides), each address takes its way from a register of the thread to a uniform one (R2UR) again and again; small tiles
take 3 to 7 % longer then.
"""

from sass import branch_target

SUMMARY = "{} loops with copies, {} that leave the uniform registers"
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


def look(instructions):
    """Return how many such loops a kernel has, and a line for every one that leaves the uniform registers."""
    loops = {copy: shortest_loop(instructions, copy) for copy in COPIES}
    moves = {copy: sum("R2UR" in text for text in loop) for copy, loop in loops.items() if loop is not None}
    return len(moves), [f"{count} R2UR in the loop with {copy}, expected none" for copy, count in moves.items() if count]
