"""A collector of traces on loopback: takes OTLP over HTTP and remembers every span."""

import gzip
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Seen:
    """A span as it came: ids in hex, times in nanoseconds."""

    name: str
    trace: str
    id: str
    parent: str
    begun: int
    ended: int
    about: dict[str, Any]  # its attributes
    raw: dict[str, Any]  # all of it


@dataclass
class Collector:
    """What was sent to it."""

    url: str = ""
    spans: list[Seen] = field(default_factory=list[Seen])
    headers: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    resource: dict[str, Any] = field(default_factory=dict[str, Any])

    @classmethod
    @asynccontextmanager
    async def running(cls) -> AsyncGenerator[Self]:
        """One that listens on a free port."""
        made = cls()
        application = web.Application()
        application.router.add_post("/v1/traces", made._take)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield made
        finally:
            await runner.cleanup()

    def named(self, name: str) -> list[Seen]:
        """The spans of a name, in their order."""
        return sorted((s for s in self.spans if s.name == name), key=lambda s: s.begun)

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if request.headers.get("Content-Encoding") == "gzip" and body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        self.headers.append(dict(request.headers))
        message = ExportTraceServiceRequest.FromString(body)
        for resource in message.resource_spans:
            self.resource = _plain(resource.resource.attributes)
            for scope in resource.scope_spans:
                self.spans += [
                    Seen(
                        span.name,
                        span.trace_id.hex(),
                        span.span_id.hex(),
                        span.parent_span_id.hex(),
                        span.start_time_unix_nano,
                        span.end_time_unix_nano,
                        _plain(span.attributes),
                        MessageToDict(span),
                    )
                    for span in scope.spans
                ]
        return web.Response()


def _plain(attributes: Any) -> dict[str, Any]:
    """Attributes as names and values."""
    return {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in attributes}
