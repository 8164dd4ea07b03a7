"""The releases that are kept as wheels, to be run as they were: `python -m bot` with what is in one before all else."""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

KEPT = Path(__file__).parent.parent / "tests" / "releases"


@dataclass(frozen=True, slots=True)
class Release:
    """A wheel.

    Attributes:
        wheel: the file.
    """

    wheel: Path

    @property
    def version(self) -> str:
        """As its file's name has it."""
        return self.wheel.name.split("-")[1]

    def unpack(self, folder: Path) -> Mapping[str, str]:
        """Unpack it into a folder; the settings by which Python finds it there, and our libraries as ever.

        They have to be those of a process that is started elsewhere than in our sources.
        """
        with zipfile.ZipFile(self.wheel) as archive:
            archive.extractall(folder)
        return {"PYTHONPATH": str(folder)}

    def schema(self, engine: str) -> dict[str, bytes]:
        """The steps of an engine's schema, by the names of their files."""
        where = f"bot/store/{engine}/schema/"
        with zipfile.ZipFile(self.wheel) as archive:
            return {
                name.removeprefix(where): archive.read(name)
                for name in archive.namelist()
                if name.startswith(where)
            }


def _number(release: Release) -> list[int]:
    return [int(part) for part in release.version.split(".")]


RELEASES = tuple(sorted(map(Release, KEPT.glob("*.whl")), key=_number))
"""All that one may still upgrade from, the last one last."""
