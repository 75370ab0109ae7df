"""Several workers side by side: started, waited for, stopped, and how each ended."""

from __future__ import annotations

import time

from layerscope.launch.workers.child import Child, Work
from layerscope.launch.workers.ending import Ending, ending

POLL_SECONDS = 0.03


class Children:
    """Workers that were started together or one after the other; each ends without harm to the others."""

    def __init__(self) -> None:
        self.living: list[Child] = []
        self.endings: list[Ending] = []

    def start(self, work: Work) -> Child:
        """Start a worker."""
        child = Child(work)
        child.start()
        self.living.append(child)
        return child

    def look(self) -> list[Ending]:
        """How those ended that have done so since the last look."""
        codes = [(child, child.poll()) for child in self.living]
        news = [ending(child, code) for child, code in codes if code is not None]
        self.living = [child for child, code in codes if code is None]
        self.endings += news
        return news

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until all have ended, or for so long; whether all have."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while self.living:
            self.look()
            if deadline is not None and time.monotonic() >= deadline:
                break
            if self.living:
                time.sleep(POLL_SECONDS)
        return not self.living

    def ask_to_stop(self) -> None:
        """Ask all to save and end."""
        for child in self.living:
            child.ask_to_stop()

    def stop(self, seconds: float) -> None:
        """Ask all to save and end, wait for so long, and end those that have not."""
        self.ask_to_stop()
        if not self.wait(seconds):
            self.kill()

    def kill(self) -> None:
        """End all at once."""
        for child in self.living:
            child.kill()
        self.wait()
