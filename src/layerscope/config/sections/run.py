"""Section ``Run``: the number of a repetition, and all the randomness that follows from it."""

from __future__ import annotations

import hashlib

from pydantic import Field

from layerscope.config.fields import Count
from layerscope.config.sections.base import Section


class RunConfig(Section):
    """The number of a repetition, and all the randomness that follows from it."""

    run: Count = Field(default=0, description="The number of this repetition; each draws its own randomness")
    seed: Count | None = Field(default=None, description="The seed shared by all repetitions; not set: 0")

    def seed_for(self, stream: str) -> int:
        """The 63-bit seed of one stream of randomness (``init``, ``order/3``, ``labels``, …).

        Streams are independent of each other: drawing more from one never changes another.
        """
        digest = hashlib.sha256(f"{self.seed or 0}/{self.run}/{stream}".encode()).digest()
        return int.from_bytes(digest[:8], "big") >> 1
