"""The exception of everything that libmarlin refuses."""

from __future__ import annotations

from ._enums import Status


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
