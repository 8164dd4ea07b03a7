"""Named statements out of `.sql` files: `-- name: take`, a comment that says what for, then the SQL."""

import re
from collections.abc import Mapping
from importlib.resources.abc import Traversable

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def load(folder: Traversable) -> Mapping[str, str]:
    """Every statement of a folder's `.sql` files, by `file.name`; `files(package)` is a package's folder.

    Raises:
        ValueError: a statement has no SQL or no comment, or a name stands twice.
    """
    found: dict[str, str] = {}
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if not file.name.endswith(".sql"):
            continue
        _, *parts = _NAME.split(file.read_text(encoding="utf-8"))
        for name, text in zip(parts[::2], parts[1::2], strict=True):
            full = f"{file.name.removesuffix('.sql')}.{name}"
            lines = text.strip().splitlines()
            sql = "\n".join(line for line in lines if not line.startswith("--")).strip()
            if not sql or not lines[0].startswith("-- ") or full in found:
                raise ValueError(
                    f"{file.name}: the statement {name} needs a comment, SQL and a name of its own"
                )
            found[full] = sql.removesuffix(";")
    return found
