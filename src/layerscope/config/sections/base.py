"""What all sections share: strict types, kebab-case keys, no unknown keys, never changed once made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


def kebab(attribute: str) -> str:
    """The YAML key of an attribute: ``batch_size`` → ``batch-size``."""
    return attribute.replace("_", "-")


class Conflicts(ValueError):
    """Values of one section that do not go together: ``(key, message)`` pairs."""

    def __init__(self, found: list[tuple[str, str]]) -> None:
        self.found = found
        super().__init__("; ".join(f"{key} {message}" for key, message in found))


class Section(BaseModel):
    """One section of a config."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        allow_inf_nan=False,
        alias_generator=kebab,
        populate_by_name=True,
        protected_namespaces=(),
    )

    def conflicts(self) -> Iterator[tuple[str, str]]:
        """Values that do not go together, each as a key and the rest of a sentence about it."""
        yield from ()

    @model_validator(mode="after")
    def _refuse_conflicts(self) -> Section:
        if found := list(self.conflicts()):
            raise Conflicts(found)
        return self

    def plain(self, key: str | None = None) -> dict[str, Any]:
        """Every key with its value, or that one, defaults too, as plain values that JSON and YAML know."""
        only = None if key is None else {key.replace("-", "_")}
        return self.model_dump(mode="json", by_alias=True, include=only)
