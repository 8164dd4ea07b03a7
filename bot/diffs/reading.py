"""A change as it was read for a review: what it says of itself, and its diff in parts. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from bot.diffs.coverage import Coverage, Held, plural
from bot.diffs.shown import LEGEND, Fitted

LINK = "Link to a line of it: "  # how the line of a head begins that says where people look
FILES_NAMED = 200  # in an overview; the others are counted


@dataclass(frozen=True, slots=True)
class Reading:
    """A pull request, a commit, a comparison, or an attached diff.

    Attributes:
        url: as it was named; "" for a file.
        name: for people, such as "shop/checkout#7".
        sha: the commit that it leads to; "" where that is not known.
        head: its name, address and state, in lines.
        body: its description, quoted; "" if it has none.
        remarks: sentences on what is odd about it.
        fitted: its diff.
    """

    url: str
    name: str
    sha: str
    head: str
    body: str
    remarks: tuple[str, ...]
    fitted: Fitted

    @property
    def parts(self) -> int:
        """How many parts its diff has."""
        return len(self.fitted.parts)

    def told(self, part: int = 1) -> str:
        """The change with one part of its diff behind what was read of it.

        Args:
            part: which, from 1.
        """
        heading = f"## Diff, part {part} of {self.parts}" if self.parts > 1 else "## Diff"
        sections = [self.head]
        if part == 1 and self.body:
            sections.append(self.body)
        if self.fitted.coverage.all_files == 0:
            empty = [heading, "It changes nothing: its diff is empty.", *self.remarks]
            return "\n\n".join([*sections, "\n".join(empty)])
        told = [heading, f"Read: {self.fitted.coverage.sentence}.", *self.remarks]
        if part < self.parts:
            told.append(
                f"That counts all {self.parts} parts; the next one: the same address with #part-{part + 1} behind it. "
                "Say so if you leave any out."
            )
        if not self.fitted.parts:
            return "\n\n".join([*sections, "\n".join(told)])
        return "\n\n".join([*sections, "\n".join([*told, LEGEND]), self.fitted.parts[part - 1]])

    def overview(self) -> str:
        """What it says of itself, what is odd about it, and which files it touches."""
        sections = [self.head, self.body, "\n".join([*self.remarks, LEGEND]), self._files()]
        return "\n\n".join(section for section in sections if section)

    def where(self, part: int) -> str:
        """The file that a part begins with, and how many more it holds, for a status."""
        held = self.fitted.held[part - 1]
        more = f" and {len(held) - 1:,} more" if len(held) > 1 else ""
        return f"{held[0].path if held else self.name}{more}"

    def touches(self, path: str) -> bool:
        """Whether lines of a file stand in its parts."""
        return any(held.path == path for part in self.fitted.held for held in part)

    def _files(self) -> str:
        """Every file, with the part that it stands in."""
        told: list[str] = []
        for n, part in enumerate(self.fitted.held, start=1):
            place = f", part {n}" if self.parts > 1 else ""
            for held in part:
                lines = f"{held.changed:,} changed {plural(held.changed, 'line')}"
                told.append(f"- {held.path} ({lines}{place})")
        told += [f"- {path} (not read: {why})" for path, why in self.fitted.coverage.gaps]
        more = len(told) - FILES_NAMED
        rest = [f"- and {more:,} more"] if more > 0 else []
        return "\n".join(["## Files", *told[:FILES_NAMED], *rest])

    def to_json(self) -> dict[str, Any]:
        """As it stands in the journal."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """As it was read before a restart."""
        fitted: Mapping[str, Any] = value["fitted"]
        told: dict[str, Any] = dict(fitted["coverage"])
        told["gaps"] = tuple((str(path), str(why)) for path, why in told["gaps"])
        held = tuple(tuple(Held(**one) for one in part) for part in fitted["held"])
        made = Fitted(tuple(fitted["parts"]), Coverage(**told), tuple(fitted["warnings"]), held)
        return cls(
            url=str(value["url"]),
            name=str(value["name"]),
            sha=str(value["sha"]),
            head=str(value["head"]),
            body=str(value["body"]),
            remarks=tuple(value["remarks"]),
            fitted=made,
        )
