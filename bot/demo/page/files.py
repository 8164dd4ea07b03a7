"""Files that people drop into the page, and the bytes of every file shown there."""

import re
from collections.abc import Mapping

from aiohttp import web

from bot.demo.page.body import Refused
from bot.demo.slack import SlackStandIn
from bot.demo.slack.watch import Json
from bot.demo.slack.world import Person

MEGABYTE = 1024 * 1024
FILE_BYTES = 20 * MEGABYTE  # of one upload
SHOWN = re.compile(r"image/(png|jpeg|gif|webp|avif|bmp)")
"""Pictures a browser shows in place; everything else is handed over as a download."""


class Uploads:
    """Takes files from windows and gives them back."""

    def __init__(self, slack: SlackStandIn) -> None:
        self._slack = slack

    async def take(self, me: Person, request: web.Request) -> Json:
        """The body of a request as a new file of this person.

        Raises:
            Refused: It is too large, or empty.
        """
        name = request.query.get("name") or "file"
        size = request.content_length or 0
        data = bytearray()
        if size <= FILE_BYTES:
            async for chunk in request.content.iter_chunked(MEGABYTE):
                data += chunk
                if len(data) > FILE_BYTES:
                    break
        if max(size, len(data)) > FILE_BYTES:
            raise Refused(too_large(name, max(size, len(data))))
        if not data:
            raise Refused(f"{name} is empty, so there is nothing to send.")
        mimetype = request.content_type if "/" in request.content_type else ""
        if mimetype == "application/octet-stream":
            mimetype = ""  # the browser did not know; the name may tell
        file = self._slack.file(name, bytes(data), user=me.id, mimetype=mimetype)
        return {"file": file.id}

    def give(self, file_id: str) -> web.Response:
        """A file's bytes, shown only where that is harmless.

        Raises:
            web.HTTPNotFound: There is no such file.
        """
        file = self._slack.world.files.get(file_id)
        if file is None or file.mode == "tombstone":
            raise web.HTTPNotFound(text="That file is no longer there.")
        pictured = SHOWN.fullmatch(file.mimetype) is not None
        headers: Mapping[str, str] = {
            "Content-Type": file.mimetype if pictured else "application/octet-stream",
            "Content-Disposition": "inline" if pictured else "attachment",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        }
        return web.Response(body=file.data, headers=headers)


def too_large(name: str, size: int) -> str:
    """Why a file was not taken."""
    return (
        f"{name} has {size / MEGABYTE:,.0f} MB, and this page takes files up to "
        f"{FILE_BYTES // MEGABYTE} MB. Send the part that matters."
    )
