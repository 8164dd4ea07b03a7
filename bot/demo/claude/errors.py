"""Every way the stand-in says no, in the API's own shape.

{"type": "error", "error": {"type", "message", "details"?}, "request_id"}
"""

from collections.abc import Mapping
from typing import Any

TYPES: Mapping[int, str] = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    503: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
WORDS: Mapping[int, str] = {
    400: "Invalid request",
    401: "invalid x-api-key",
    402: "Your credit balance is too low to access the Anthropic API.",
    403: "Your API key does not have permission to use the specified resource.",
    404: "Not found",
    408: "Request timed out",
    409: "The request conflicts with the current state of the resource.",
    413: "Request exceeds the maximum size",
    429: "This request would exceed your organization's rate limit.",
    500: "Internal server error",
    503: "Service unavailable",
    504: "Request timed out while processing",
    529: "Overloaded",
}
OUTPUT_FILTER = "Output blocked by content filtering policy"
SPEND_LIMIT = (
    "You have reached your specified workspace API usage limits. "
    "You will regain access on 2026-12-01 at 00:00 UTC."
)


class Problem(Exception):
    """HTTP {status}: {message}."""

    def __init__(
        self,
        status: int,
        message: str = "",
        *,
        code: str | None = None,
        kind: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Make a refusal of a request.

        Args:
            status: the HTTP status.
            message: what the API says; a usual sentence when empty.
            code: `error.details.error_code`, for the kinds that have one.
            kind: `error.type`, when it is not the usual one of the status.
            headers: extra response headers, such as retry-after.
        """
        self.status = status
        self.message = message or WORDS.get(status, "Error")
        self.code = code
        self.kind = kind or TYPES.get(status, "api_error")
        self.headers = dict(headers or {})
        super().__init__(f"{status} {self.kind}: {self.message}")

    def body(self, request_id: str) -> dict[str, Any]:
        """Give the JSON body; the same shape travels in an SSE `error` event."""
        error: dict[str, Any] = {"type": self.kind, "message": self.message}
        if self.code is not None:
            error["details"] = {"error_code": self.code}
        return {"type": "error", "error": error, "request_id": request_id}


def invalid(message: str) -> Problem:
    """A 400 with the given words."""
    return Problem(400, message)
