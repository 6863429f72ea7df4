"""The exception of everything that libmarlin refuses, and the reading of enumerated arguments."""

from __future__ import annotations

from enum import IntEnum
from typing import TypeVar

from ._enums import Status

Member = TypeVar("Member", bound=IntEnum)


class Error(RuntimeError):
    """A call that failed. Nothing was written to its outputs, and the handle stays usable."""

    status: Status
    """What happened, and who must act."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = Status(status)

    def __reduce__(self) -> tuple[type[Error], tuple[int, str]]:
        return Error, (int(self.status), str(self))


def invalid(text: str) -> Error:
    """Return the error for an argument that the caller must change."""
    return Error(Status.INVALID_ARGUMENT, text)


def member(enum: type[Member], value: Member | str | int, name: str) -> Member:
    """Return the member that value is or names in either case ("gptq_v1"); name is the argument's, for the text."""
    try:
        if isinstance(value, str):
            return enum[value.upper()]
        return enum(value)
    except (KeyError, ValueError):
        names = ", ".join(repr(known.name.lower()) for known in enum)
        raise invalid(f"{name} is {value!r}, expected one of {names}") from None
