"""By which SQLSTATE a server lets nobody in, whatever language it speaks: heard by knocking once more.

The driver gives words alone of a connection that came to nothing, and a server words them by its `lc_messages`. What it
sent can be read where the client library writes down what passes over the wire, which it does of a connection's
beginning from release 18 on, and the driver lets it on Linux; elsewhere nothing is heard, and English words are known.
"""

import os
import re
import select
import sys
import time

import psycopg
from psycopg import pq

SECONDS = 5.0  # that a server gets to refuse us again
_WAITS = {
    pq.PollingStatus.READING: select.POLLIN,
    pq.PollingStatus.WRITING: select.POLLOUT,
}
_REFUSED = re.compile(rb'\tErrorResponse\t S "[^"]*"(?: V "[A-Z]+")? C "([0-9A-Z]{5})"')


def refused(conninfo: str) -> str:
    """The SQLSTATE by which a server refuses a connection; "" where it does not, or where none can be heard."""
    if sys.platform != "linux" or pq.version() < 180000:
        return ""
    heard = os.memfd_create("refusal")  # a password may be in it, so it lies on no disk
    try:
        connection = pq.PGconn.connect_start(conninfo.encode())
        try:
            connection.trace(heard)
            _knock(connection)
        finally:
            connection.untrace()  # what is not written yet is, before the file is closed
            connection.finish()
        with os.fdopen(os.dup(heard), "rb") as words:
            words.seek(0)
            found = _REFUSED.findall(words.read())
    except (psycopg.Error, OSError):
        return ""
    finally:
        os.close(heard)
    return found[-1].decode() if found else ""


def _knock(connection: "pq.abc.PGconn") -> None:
    """Go on with a connection until it stands, or came to nothing, or takes too long."""
    end = time.monotonic() + SECONDS
    while (waits := _WAITS.get(pq.PollingStatus(connection.connect_poll()))) is not None:
        poll = select.poll()
        poll.register(connection.socket, waits)
        if not poll.poll(max(0.0, end - time.monotonic()) * 1000):
            return
