"""Files of the Slack stand-in: people attach them, the app downloads them with its token, or uploads its own."""

import mimetypes
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from aiohttp import web

from bot.demo.slack.announce import Announcer
from bot.demo.slack.api import Call, Run, SlackProblem, entered
from bot.demo.slack.chat import Chat, Content
from bot.demo.slack.message import File
from bot.demo.slack.watch import Json
from bot.demo.slack.world import World

LOGIN_PAGE = (
    "<!DOCTYPE html><html><head><title>Sign in | Slack</title></head><body>Sign in</body></html>"
)


class Files:
    """The workspace's files."""

    def __init__(self, world: World, chat: Chat, announcer: Announcer, *, token: str) -> None:
        self.url = ""
        self._world = world
        self._chat = chat
        self._announcer = announcer
        self._token = token
        self._uploads: dict[str, File] = {}  # upload secrets not used yet
        self._awaited: dict[str, File] = {}  # files whose upload was never completed

    def methods(self) -> Mapping[str, Run]:
        """The file methods by name."""
        return {
            "files.info": self.info,
            "files.getUploadURLExternal": self.promise,
            "files.completeUploadExternal": self.complete,
        }

    def file(
        self,
        name: str,
        data: bytes | str,
        *,
        user: str = "ana",
        mimetype: str = "",
        mode: str = "hosted",
        stub: bool = False,
    ) -> File:
        """A file to attach with `say(files=[…])`.

        Args:
            name: Its name; the mimetype follows from it.
            data: Its bytes, or text.
            user: Whose it is.
            mimetype: Where the name does not tell it.
            mode: hosted, snippet, external, tombstone or hidden_by_limit.
            stub: Announced without details, as in shared channels; files.info tells them.
        """
        guessed = mimetype or mimetypes.guess_type(name)[0] or "text/plain"
        assert self.url, "start() comes first: a file's address holds the port"
        owner = self._world.person(user).id
        content = data.encode() if isinstance(data, str) else data
        return self._keep(name, guessed, owner, content, mode=mode, stub=stub)

    def _keep(
        self,
        name: str,
        mimetype: str,
        user: str,
        data: bytes,
        *,
        mode: str = "hosted",
        stub: bool = False,
    ) -> File:
        file = File(self._world.new_id("F"), name, mimetype, user, data, mode=mode, stub=stub)
        file.created = int(self._world.now())
        file.url = f"{self.url}/files-pri/{self._world.team}-{file.id}/download/{quote(name)}"
        self._world.files[file.id] = file
        return file

    def info(self, call: Call) -> Json:
        """files.info."""
        file = self._world.files.get(call.need("file", "file_not_found"))
        if file is None or file.id in self._awaited:
            raise SlackProblem("file_not_found")
        if file.mode == "tombstone":
            raise SlackProblem("file_deleted")
        return {"file": file.wire(), "comments": []}

    def promise(self, call: Call) -> Json:
        """files.getUploadURLExternal."""
        name = call.need("filename")
        if call.number("length", 0) <= 0:
            raise SlackProblem("invalid_arguments")
        mimetype = mimetypes.guess_type(name)[0] or "text/plain"
        file = self._keep(name, mimetype, self._world.bot.id, b"")
        secret = self._world.secret()
        self._uploads[secret] = self._awaited[file.id] = file
        return {"upload_url": f"{self.url}/upload/{secret}", "file_id": file.id}

    async def take(self, request: web.Request) -> web.StreamResponse:
        """The bytes of a promised file, raw or as multipart."""
        file = self._uploads.pop(request.match_info["secret"], None)
        if file is None:
            return web.Response(status=404, text="no such upload")
        if request.content_type.startswith("multipart/"):
            form = await request.post()
            part = next((v for v in form.values() if isinstance(v, web.FileField)), None)
            file.data = part.file.read() if part is not None else b""
        else:
            file.data = await request.read()
        return web.Response(text=f"OK - {len(file.data)}")

    def complete(self, call: Call) -> Json:
        """files.completeUploadExternal; with a channel the files are shared there as one message."""
        wanted: Any = call.data("files")
        if not isinstance(wanted, list) or not wanted:
            raise SlackProblem("invalid_arguments")
        files: list[File] = []
        for one in wanted:
            file = self._awaited.get(str(one.get("id", "")))
            if file is None or not file.data:
                raise SlackProblem("file_not_found")
            file.title = str(one.get("title") or file.name)
            files.append(file)
        where = call.text("channel_id") or call.text("channels").split(",")[0]
        channel = entered(self._world, where) if where else None
        for file in files:
            del self._awaited[file.id]
        if channel is not None:
            message = self._chat.own(
                channel, Content(call.text("initial_comment"), "", [], []), call.text("thread_ts")
            )
            message.files = files
            for file in files:
                file.shares.append((channel.id, message.ts))
            self._world.put(message)
            self._announcer.posted(message)
        return {"files": [file.wire() for file in files]}

    async def give(self, request: web.Request) -> web.StreamResponse:
        """A file's bytes to whoever brings the token; a login page, with status 200, to everybody else."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        file = self._world.files.get(request.match_info["id"].rpartition("-")[2])
        if token != self._token:
            return web.Response(text=LOGIN_PAGE, content_type="text/html")
        if file is None:
            return web.Response(status=404, text="file not found")
        return web.Response(body=file.data, content_type=file.mimetype)
