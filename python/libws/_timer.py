"""A timer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import _records
from ._abi import lib
from ._errors import check

if TYPE_CHECKING:
    from ._loop import Loop


class Timer:
    """A timer; `Loop.start_timer` makes it."""

    __slots__ = ("__weakref__", "_id", "_key", "_loop")

    def __init__(self, loop: "Loop") -> None:
        """Timers are made by `Loop.start_timer`."""
        self._id = 0
        self._key = 0
        self._loop = loop

    def __repr__(self) -> str:
        return f"<libws.Timer {self._id:#x}>"

    def stop(self) -> None:
        """Stops it. When this returns its function is not running and will not run, unless called inside it.

        May be called from any thread, and then waits for the loop. Errors: GoneError (stopped before, or a one-shot
        timer that has fired).
        """
        check(lib.libws_timer_stop(self._id))
        self._loop._live.discard(self._key)
        _records.drop(self._key)
