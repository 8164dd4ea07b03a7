"""The page's own files, held in memory: modules, styles, the sign, and the one document that names them."""

from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

FOLDER = Path(__file__).parent / "static"
PREFIX = "/page/static/"
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
PRELOADS = (
    "<!-- modules -->"  # where the document names every module, so that none waits for another
)


@dataclass(frozen=True, slots=True)
class Static:
    """What is served: the document, and files by their path below the prefix."""

    document: bytes
    files: dict[str, tuple[bytes, str]]

    @classmethod
    def read(cls) -> "Static":
        """All files as they lie beside this module."""
        files = {
            path.relative_to(FOLDER).as_posix(): (path.read_bytes(), TYPES[path.suffix])
            for path in sorted(FOLDER.rglob("*"))
            if path.suffix in TYPES
        }
        links = "\n".join(
            f'<link rel="modulepreload" href="{PREFIX}{name}">'
            for name in files
            if name.endswith(".js")
        )
        text = (FOLDER / "index.html").read_text(encoding="utf-8")
        return cls(text.replace(PRELOADS, links).encode(), files)

    def index(self) -> web.Response:
        """The document."""
        return web.Response(body=self.document, content_type="text/html", charset="utf-8")

    def file(self, name: str) -> web.Response:
        """One file.

        Raises:
            web.HTTPNotFound: There is none of that name.
        """
        found = self.files.get(name)
        if found is None:
            raise web.HTTPNotFound(text="The page has no such part.")
        return web.Response(body=found[0], content_type=found[1], charset="utf-8")
