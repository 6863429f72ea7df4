"""Whether any instruction touches the registers of a wgmma that is under way.

Sums may be read, and registers of weights written, only behind the WARPGROUP.DEPBAR that waits for their group. The
compiler does not always keep to that: it copies sums where control flow meets, before a wait that it cannot connect with
them.
"""

import re

from sass import PREDICATE, branch_target

SUMMARY = "{} kernels with wgmma, {} instructions in their way"

HGMMA = re.compile(r"HGMMA\.64x(\d+)x16\S*\s+R(\d+), (?:R(\d+)|gdesc\[UR\d+\])")
DEPBAR = re.compile(r"WARPGROUP\.DEPBAR\.LE gsb0, 0x(\d+)")
REGISTER = re.compile(r"(?<![U\w])R(\d+)(\.64)?")
# Instructions whose first register is read.
READERS = ("ST", "RED", "ATOM", "BAR", "BRA", "SYNCS", "UBLKCP", "UTMA", "R2UR", "ISETP", "FSETP", "R2P")


class Group:
    def __init__(self):
        self.sums = set()
        self.weights = set()


class Function:
    def __init__(self, instructions):
        self.instructions = instructions
        self.wrong = {}

    def check(self):
        at = {address: i for i, (address, _) in enumerate(self.instructions)}
        self.groups, self.open = [], Group()
        again = set()
        i = 0
        end = None  # of a loop that is gone through once more
        while i < len(self.instructions):
            address, text = self.instructions[i]
            self.step(address, text)
            target = branch_target(text)
            if target is not None and target <= address and i not in again and end is None:
                again.add(i)
                end = i
                i = at.get(target, i + 1)
                continue
            if i == end:
                end = None
            if not PREDICATE.match(text) and re.match(r"(BRA 0x|EXIT)", text):
                self.groups, self.open = [], Group()  # what follows is reached from elsewhere
            i += 1

    def step(self, address, text):
        body = PREDICATE.sub("", text)
        hgmma = HGMMA.match(body)
        if hgmma:
            count, first = int(hgmma[1]) // 2, int(hgmma[2])
            self.open.sums |= set(range(first, first + count))
            if hgmma[3]:
                self.open.weights |= set(range(int(hgmma[3]), int(hgmma[3]) + 4))
            if "gsb0" in body:
                self.groups.append(self.open)
                self.open = Group()
            return
        wait = DEPBAR.match(body)
        if wait:
            left = int(wait[1])
            self.groups = self.groups[len(self.groups) - left :] if left else []
            return
        under_way = self.groups + [self.open]
        if not any(group.sums for group in under_way):
            return
        sums = set().union(*(group.sums for group in under_way))
        weights = set().union(*(group.weights for group in under_way))
        opcode = body.split()[0]
        registers = [(int(m[1]), m[2] is not None) for m in REGISTER.finditer(body)]
        wide = 4 if ".128" in opcode else 2 if ".64" in opcode or ".WIDE" in opcode else 1
        for place, (register, pair) in enumerate(registers):
            writes = place == 0 and not opcode.startswith(READERS)
            stored = opcode.startswith("ST") and place == len(registers) - 1
            width = max(wide if writes or stored else 1, 2 if pair else 1)
            touched = set(range(register, register + width))
            if touched & sums or (writes and touched & weights):
                self.wrong[address] = text


def look(instructions):
    """Return how many kernels this is, and a line for every instruction in the way."""
    if not any("HGMMA" in text for _, text in instructions):
        return 0, []
    function = Function(instructions)
    function.check()
    return 1, [f"{address:04x}: {text}" for address, text in sorted(function.wrong.items())]
