"""Atlassian's OpenAPI description as a judge of what is sent to Jira and what the stand-in answers.

Known differences between the description and the real Jira, allowed for here: the values of a change are
null when a field was empty (the description says string), and a transition's id may be sent as a number.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from openapi_schema_validator import OAS30ReadValidator, OAS30WriteValidator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

ROOT = "urn:jira"
NULL_IN_REALITY = frozenset({"from", "to", "fromString", "toString"})
GATEWAY = re.compile(r"^/ex/jira/[^/]+")
Json = dict[str, Any]


class Contract:
    """Checks requests and responses; what it finds are sentences, none means all is well.

    Args:
        path: Of `swagger-v3.v3.json`.
    """

    def __init__(self, path: Path) -> None:
        self._document: Json = json.loads(path.read_text(encoding="utf-8"))
        resource: Resource[Any] = Resource(contents=self._document, specification=DRAFT4)
        self._registry: Registry[Any] = Registry().with_resource(ROOT, resource)
        self._paths = [
            (re.compile(re.sub(r"\\\{[^}]+\\\}", "[^/]+", re.escape(template)) + "$"), template)
            for template in sorted(self._document["paths"], key=lambda t: (t.count("{"), t))
        ]

    def operation(self, method: str, path: str) -> Json:
        """The description of one operation.

        Raises:
            KeyError: It is not described.
        """
        path = GATEWAY.sub("", path)
        for pattern, template in self._paths:
            found = self._document["paths"][template].get(method.lower())
            if pattern.match(path) and found is not None:
                return found
        raise KeyError(f"{method} {path}")

    def response(self, method: str, path: str, status: int, body: object) -> list[str]:
        """What is wrong with an answer."""
        described = self.operation(method, path)["responses"].get(str(status))
        if described is None:
            return [f"status {status} is not described"]
        schema = described.get("content", {}).get("application/json", {}).get("schema")
        if schema is None:
            return []
        return [*self._problems(OAS30ReadValidator, schema, _without_nulls(body))]

    def request(
        self, method: str, path: str, query: Mapping[str, str], body: object = None
    ) -> list[str]:
        """What is wrong with a request; query values are as they stand in the address."""
        operation = self.operation(method, path)
        declared = {p["name"]: p for p in operation.get("parameters", []) if p["in"] == "query"}
        found = [f"unknown parameter {name}" for name in query if name not in declared]
        found += [
            f"missing parameter {name}"
            for name, parameter in declared.items()
            if parameter.get("required") and name not in query
        ]
        for name in query.keys() & declared.keys():
            if not _fits(declared[name]["schema"].get("type"), query[name]):
                found.append(f"parameter {name}={query[name]!r} has the wrong type")
        described = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if described is None:
            return found + (["a body where none belongs"] if body is not None else [])
        sent = _transition_as_text(body)
        return [*found, *self._problems(OAS30WriteValidator, described["schema"], sent)]

    def _problems(self, kind: Any, schema: Json, value: object) -> Iterator[str]:
        rooted = json.loads(json.dumps(schema).replace('"#/components/', f'"{ROOT}#/components/'))
        for error in kind(rooted, registry=self._registry).iter_errors(value):
            place = "/".join(str(part) for part in error.absolute_path)
            yield f"{place}: {error.message[:200]}"


@cache
def contract(path: Path) -> Contract:
    """The judge for a description, read once in a run: it is large."""
    return Contract(path)


def _fits(kind: str | None, text: str) -> bool:
    if kind == "integer":
        return text.lstrip("-").isdigit()
    return kind != "boolean" or text in {"true", "false"}


def _without_nulls(value: object) -> object:
    """The same without what is null in reality; by way of JSON, which does not mind depth."""

    def drop(mapping: Json) -> Json:
        return {k: v for k, v in mapping.items() if v is not None or k not in NULL_IN_REALITY}

    return json.loads(json.dumps(value), object_hook=drop)


def _transition_as_text(body: object) -> object:
    if isinstance(body, dict) and isinstance(body.get("transition"), dict):  # pyright: ignore[reportUnknownMemberType]
        mapping: Json = body
        return {
            **mapping,
            "transition": {**mapping["transition"], "id": str(mapping["transition"]["id"])},
        }
    return body
