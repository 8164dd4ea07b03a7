"""What a window asks for: careful hands for its JSON, and the sentence when it cannot be done."""

from collections.abc import Mapping
from typing import Any, cast


class Refused(Exception):
    """Something cannot be done; the sentence says why, and what to do."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Body:
    """A request's fields; one of another type counts as absent."""

    def __init__(self, data: object) -> None:
        self._data: Mapping[str, Any] = (
            cast("Mapping[str, Any]", data) if isinstance(data, dict) else {}
        )

    def text(self, name: str) -> str:
        """A field's text, "" when it is absent."""
        value = self._data.get(name)
        return value if isinstance(value, str) else ""

    def texts(self, name: str) -> list[str]:
        """The texts in a list."""
        value = self._data.get(name)
        found = cast("list[Any]", value) if isinstance(value, list) else []
        return [one for one in found if isinstance(one, str)]

    def mapping(self, name: str) -> Mapping[str, Any]:
        """An object's fields."""
        value = self._data.get(name)
        return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}
