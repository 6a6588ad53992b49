"""Work that many threads ask for, and one at a time does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Turns:
    """Of several that ask while one is at work, the next does it for all. `work` may be replaced: the newest counts."""

    work: Callable[[], None] = lambda: None
    _asked: int = 0
    _done: int = 0
    _working: threading.Lock = field(default_factory=threading.Lock)
    _counting: threading.Lock = field(default_factory=threading.Lock)

    def ask(self) -> bool:
        """Have it done, begun no earlier than now; False where another did it for this one too.

        Raises what the work raises, to the one who did it: the others try it themselves.
        """
        with self._counting:
            self._asked += 1
            mine = self._asked
        with self._working:
            if self._done >= mine:
                return False
            with self._counting:
                upto = self._asked
            self.work()
            self._done = upto
            return True
