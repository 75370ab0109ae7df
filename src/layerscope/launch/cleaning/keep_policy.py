"""Which files of finished runs are kept: ``every:50,resume``."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass

from layerscope.errors import UsageError

WORDS = {
    "last": "of the checkpoints only the last",
    "every:N": "the checkpoints of every N-th epoch, and the last",
    "10,20": "the checkpoints of these epochs, and the last",
    "measured": "the checkpoints of which a wanted measure is missing, and the last",
    "resume": "no resume points of finished trainings",
    "jobs": "no pickles of finished jobs; their logs stay",
}
"""What can be said, and what is kept then."""

HARMLESS = "resume,jobs"
"""What nobody misses: without a word about checkpoints, all of them stay."""


@dataclass(frozen=True)
class KeepPolicy:
    """What is kept. Parts add up: a checkpoint stays when any of them keeps it.

    Parameters
    ----------
    checkpoints : bool
        Whether any checkpoint is to go. The last one, and a best one (``Logging.keep-best``), always stay.
    every : int
        Keep the epochs that it divides; 0: none.
    epochs : frozenset of int
        Keep these.
    measured : bool
        Keep what is not measured yet.
    resume, jobs : bool
        Remove the resume points, and what submitit left of finished jobs.
    """

    checkpoints: bool = False
    every: int = 0
    epochs: frozenset[int] = frozenset()
    measured: bool = False
    resume: bool = False
    jobs: bool = False

    @classmethod
    def parse(cls, text: str) -> KeepPolicy:
        """The policy that ``text`` spells: some of :data:`WORDS`, joined by commas.

        Raises
        ------
        UsageError
            It spells none.
        """
        parts = [part.strip().lower() for part in text.split(",") if part.strip()]
        if not parts:
            raise UsageError(f"--clean needs to know what to keep: {_known()}")
        every = [_interval(part) for part in parts if part.startswith("every")]
        epochs = frozenset(int(part) for part in parts if part.isdecimal())
        words = {part for part in parts if not part.startswith("every") and not part.isdecimal()}
        for word in sorted(words - set(WORDS)):
            raise _unknown(word)
        if len(every) > 1:
            raise UsageError(f"--clean {text}: every can be given only once")
        return cls(
            checkpoints=bool(every or epochs or words & {"last", "measured"}),
            every=every[0] if every else 0,
            epochs=epochs,
            measured="measured" in words,
            resume="resume" in words,
            jobs="jobs" in words,
        )

    def removable(self, saved: Iterable[int], never: Set[int | None]) -> tuple[int, ...]:
        """Those of the ``saved`` epochs that may go, measured or not; ``never`` may the last and the best."""
        if not self.checkpoints:
            return ()
        kept = never | self.epochs
        return tuple(
            epoch for epoch in saved if epoch not in kept and not (self.every and epoch % self.every == 0)
        )


def _interval(part: str) -> int:
    number = part.removeprefix("every:")
    if not number.isdecimal() or int(number) < 1:
        raise UsageError(f"--clean {part}: write every:N with a number of epochs, such as every:50")
    return int(number)


def _unknown(word: str) -> UsageError:
    from layerscope.config.nearest import nearest  # which --help does not wait for

    close = nearest(word, WORDS)
    hint = f"did you mean {close!r}?" if close else f"what can be kept is {_known()}"
    return UsageError(f"--clean {word}: unknown; {hint}")


def _known() -> str:
    return "; ".join(f"{word} ({meaning})" for word, meaning in WORDS.items())
