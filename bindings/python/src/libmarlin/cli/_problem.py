"""Problems in the words of marlin_bench and of the library's log: "gemm f16 s4 g128 m16 n4096 k4096"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .._errors import invalid
from .._weights import PER_COLUMN

FLOATS = ("f16", "bf16", "f32")
_HALVES = ("f16", "bf16")
_FORM = '"gemm f16 s4 g128 m16 n4096 k4096" or "sp_gemm ..."'


@dataclass(frozen=True)
class Problem:
    """A multiply by weights of a kind."""

    sparse: bool
    a_type: str
    type: str
    group_size: int
    m: int
    n: int
    k: int
    c_type: str = ""
    """Empty: as a_type."""
    scale_type: str = "f16"
    zero_type: str = ""
    """Empty: none with s4, u8 with u4."""
    bias_type: str | None = None
    """None: no bias."""
    act_order: bool = False

    @property
    def out_type(self) -> str:
        """The type of C."""
        return self.c_type or self.a_type

    @property
    def zeros(self) -> str:
        """The type of zero points or offsets, "none" without."""
        return self.zero_type or ("u8" if self.type == "u4" else "none")

    @property
    def groups(self) -> int:
        """Scales of a column."""
        return 1 if self.group_size == PER_COLUMN else -(-self.k // self.group_size)

    def __str__(self) -> str:
        group = "gcol" if self.group_size == PER_COLUMN else f"g{self.group_size}"
        words = ["sp_gemm" if self.sparse else "gemm", self.a_type, self.type, group]
        words += [f"m{self.m}", f"n{self.n}", f"k{self.k}"]
        if self.out_type != self.a_type:
            words.append(f"c{self.c_type}")
        if self.scale_type != "f16":
            words.append(f"s{self.scale_type}")
        if self.zeros != ("u8" if self.type == "u4" else "none"):
            words.append(f"z{self.zero_type}")
        if self.bias_type is not None:
            words.append("bias" if self.bias_type == self.out_type else f"bias{self.bias_type}")
        if self.act_order:
            words.append("perm")
        return " ".join(words)


def parse(text: str) -> Problem:
    """Read a problem; what follows # is a comment, so that lines of the log can be pasted. Raises Error."""
    words = re.split(r"[ \t\r\n,]+", text.partition("#")[0].strip())
    if len(words) < 3 or words[0] not in ("gemm", "sp_gemm"):
        raise invalid(f'problem is "{text}", expected a form such as {_FORM}')
    if words[1] not in FLOATS:
        raise invalid(f'problem "{text}": activation type is {words[1]}, expected f16, bf16 or f32')
    if words[2] not in ("s4", "u4"):
        raise invalid(f'problem "{text}": weight type is {words[2]}, expected s4 or u4')
    numbers = {"m": 1, "n": 0, "k": 0, "g": 0}
    others: dict[str, str] = {}
    act_order = has_bias = False
    for word in words[3:]:
        prefix, rest = word[:1], word[1:]
        if word == "gcol":
            numbers["g"] = PER_COLUMN
        elif word == "perm":
            act_order = True
        elif word.startswith("bias") and word[4:] in ("", *FLOATS):
            has_bias, others["bias"] = True, word[4:]
        elif prefix in numbers and rest.isdecimal():
            numbers[prefix] = int(rest)
        elif (
            (prefix == "c" and rest in FLOATS)
            or (prefix == "s" and rest in _HALVES)
            or (prefix == "z" and rest in ("u8", *FLOATS))
        ):
            others[prefix] = rest
        else:
            raise invalid(f'problem "{text}": word "{word}" is not understood')
    if numbers["m"] < 1 or numbers["n"] < 1 or numbers["k"] < 1:
        shape = ", ".join(str(numbers[name]) for name in "mnk")
        raise invalid(f'problem "{text}": m, n, k are {shape}, expected 1 or more of each')
    if numbers["g"] == 0:
        raise invalid(f'problem "{text}": group_size is 0, expected a word such as g128, or gcol')
    if words[2] == "s4" and "z" in others:
        raise invalid(f'problem "{text}": zero type is {others["z"]}, expected none for s4')
    c_type = others.get("c", "")
    return Problem(
        sparse=words[0] == "sp_gemm",
        a_type=words[1],
        type=words[2],
        group_size=numbers["g"],
        m=numbers["m"],
        n=numbers["n"],
        k=numbers["k"],
        c_type="" if c_type == words[1] else c_type,
        scale_type=others.get("s", "f16"),
        zero_type=others.get("z", ""),
        bias_type=(others["bias"] or c_type or words[1]) if has_bias else None,
        act_order=act_order,
    )


def collect(arguments: list[str], default: list[str]) -> list[Problem]:
    """Read arguments: problems, and @files with one a line; without any, the default ones."""
    texts: list[str] = []
    for argument in arguments:
        if not argument.startswith("@"):
            texts.append(argument)
            continue
        try:
            with open(argument[1:], encoding="utf-8") as file:
                texts += [line for line in file if line.partition("#")[0].strip()]
        except OSError as error:
            raise invalid(f"{argument[1:]} cannot be read ({error.strerror}), expected one problem a line") from None
    return [parse(text.strip()) for text in texts or default]
