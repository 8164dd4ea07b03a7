"""Where traces go: to the collector that OTEL_EXPORTER_OTLP_ENDPOINT names. Without one nothing of this is even imported.

OpenTelemetry's SDK comes with the extra `traces`. What else it reads from the environment (a sampler, limits of a batch)
holds as its own documentation says.
"""

import asyncio
import os
import socket
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from importlib.util import find_spec

import structlog
from opentelemetry.trace import TracerProvider
from opentelemetry.util.re import parse_env_headers

from bot import __version__, spans
from bot.app.clients import secret
from bot.settings import Settings

SEND_SECONDS = 5.0  # for one batch
CLOSE_SECONDS = 3.0  # at the end, for what is not sent yet; the rest is lost
MEND = "pip install 'purser[traces]'"

log = structlog.get_logger()


def sdk_is_there() -> bool:
    """Whether the extra is installed."""
    return all(find_spec(f"opentelemetry.{part}") for part in ("sdk", "exporter.otlp.proto.http"))


@asynccontextmanager
async def collector(
    settings: Settings, *, installed: Callable[[], bool] = sdk_is_there
) -> AsyncGenerator[TracerProvider | None]:
    """What collects spans and sends them on in batches, as long as we are inside; None where nobody asked for it.

    Args:
        settings: name the collector.
        installed: whether OpenTelemetry's SDK can be imported.
    """
    if settings.otel_exporter_otlp_endpoint is None:
        yield None
        return
    if not installed():
        log.warning("traces are off: OTEL_EXPORTER_OTLP_ENDPOINT needs an extra", mend=MEND)
        yield None
        return
    provider, close = _provider(settings, settings.otel_exporter_otlp_endpoint)
    try:
        yield provider
    finally:
        closing = threading.Thread(target=close, daemon=True)  # a collector that hangs holds nobody
        closing.start()
        await asyncio.to_thread(closing.join, CLOSE_SECONDS)


def _provider(settings: Settings, address: str) -> tuple[TracerProvider, Callable[[], None]]:
    """OpenTelemetry's SDK, and how it is closed."""
    import requests
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk import trace as sdk
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

    class AskIds(RandomIdGenerator):
        """Every attempt at an ask, in whatever process, is in the one trace of that ask."""

        def generate_trace_id(self) -> int:
            return spans.trace_id() or super().generate_trace_id()

    session = requests.Session()
    session.trust_env = False  # no proxy that we were not told of
    exporter = OTLPSpanExporter(
        endpoint=f"{address}/v1/traces",
        headers=parse_env_headers(secret(settings.otel_exporter_otlp_headers), liberal=True),
        certificate_file=str(settings.ssl_cert_file) if settings.ssl_cert_file else None,
        timeout=SEND_SECONDS,
        session=session,
    )
    about = {
        "service.name": "purser",
        "service.version": __version__,
        "service.instance.id": f"{socket.gethostname()}:{os.getpid()}",
    }
    provider = sdk.TracerProvider(
        resource=Resource(about), id_generator=AskIds(), shutdown_on_exit=False
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))

    def close() -> None:
        provider.shutdown()
        session.close()

    return provider, close
