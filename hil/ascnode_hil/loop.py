"""One event loop in a thread of its own, on which synchronous tests run coroutines."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from ascnode.errors import BoardTimeoutError

T = TypeVar("T")

DEADLINE_S = 120.0


class LoopThread:
    """Serves every board of a test session; close() ends it."""

    def __init__(self) -> None:
        self.slower = 1.0  # how many times longer than they ask all may wait
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="ascnode boards", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], wait_s: float = DEADLINE_S, what: str = "board") -> T:
        """The coroutine's result; BoardTimeoutError past `wait_s`, and whatever it raises."""
        wait_s *= self.slower
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(wait_s)
        except TimeoutError:
            if future.done():
                raise
            raise BoardTimeoutError(f"no answer of the {what} within {wait_s:g} s") from None
        finally:
            future.cancel()  # does nothing to one that has ended

    def close(self) -> None:
        """Ends the thread; may be called twice."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
