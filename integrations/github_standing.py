"""Who we are to GitHub, by the headers of an answer that costs nothing of the limit."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from gidgethub import sansio

from integrations.github_wire import Wire

PATH = "/rate_limit"
SCOPES, EXPIRES = "x-oauth-scopes", "github-authentication-token-expiration"


@dataclass(frozen=True, slots=True)
class Standing:
    """How we stand with GitHub.

    Attributes:
        as_us: whether we have a token; it is accepted then.
        scopes: of a classic token; GitHub tells nothing of others.
        expires: when the token ends; None where it does not, or GitHub does not tell.
    """

    as_us: bool
    scopes: frozenset[str] = frozenset()
    expires: datetime | None = None


async def standing(wire: Wire) -> Standing:
    """Ask how we stand.

    Raises:
        gidgethub.GitHubException: we are not let in.
    """
    status, headers, body = await wire.told(PATH)
    sansio.decipher_response(status, headers, body)
    scopes = {name.strip() for name in headers.get(SCOPES, "").split(",")} - {""}
    return Standing(wire.oauth_token is not None, frozenset(scopes), _expires(headers))


def _expires(headers: Mapping[str, str]) -> datetime | None:
    """Such as "2027-01-31 12:00:00 UTC", or with an offset in the place of the zone."""
    told = headers.get(EXPIRES, "").replace(" UTC", " +0000")
    try:
        return datetime.strptime(told, "%Y-%m-%d %H:%M:%S %z").astimezone(UTC)
    except ValueError:
        return None
