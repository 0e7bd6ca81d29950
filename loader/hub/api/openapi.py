"""The OpenAPI 3.1 document, made from the routes, their operations and the models of parameters and answers."""

import re
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from loader.hub.api.operations import Operation, list_operations
from loader.hub.api.responses import FeedSnapshot, LoadEvent, ProblemResponse, WebhookMessage
from loader.hub.support.errors import PROBLEM_MEDIA

Json = dict[str, Any]

_SCHEMAS: Final = "#/components/schemas/{model}"
_DESCRIPTION: Final = (
    "Load trip files, follow loads, ask for trip groups, flows and weekly averages. Parameters that aren't known are refused. "
    "The feed is a WebSocket at /ws/loads and /ws/loads/{load_id}, with ?last=POSITION to go on after the last event seen; its "
    "messages are LoadEvent and FeedSnapshot. Tokens, errors, forms of tables and the feed are explained in docs/api.md."
)
_NOTES: Final = ("description", "title", "examples")
_ERRORS: Final = {
    "400": "A parameter doesn't fit.",
    "401": "No token, or one that isn't good.",
    "403": "The token, or the page's origin, doesn't allow this.",
    "404": "There is no such thing.",
    "408": "The body comes too slowly.",
    "409": "Its state doesn't allow this.",
    "413": "Too many bytes.",
    "422": "The file can't be read as trips.",
    "503": "Something the hub needs is away, or busy; try again after Retry-After seconds.",
}


# Parameters of a query that name what may not be there.
_NAMING: Final = {"area"}


def make_openapi(routes: Iterable[tuple[str, type]]) -> Json:
    """Describe every operation of the routes (template, handler)."""
    found = [
        (path, method, each) for path, handler in routes for method, each in list_operations(handler).items() if not each.is_alias
    ]
    models = _list_models(each for _, _, each in found)
    references, definitions = models_json_schema(models, ref_template=_SCHEMAS)
    schemas: dict[type, Json] = {model: reference for (model, _), reference in references.items()}
    paths: Json = {}
    for path, method, each in found:
        paths.setdefault(path, {})[method] = _describe(path, each, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tripdeck", "version": version("tripdeck"), "description": _DESCRIPTION},
        "servers": [{"url": "/"}],
        "paths": paths,
        "webhooks": {"load_ended": {"post": _describe_message(schemas[WebhookMessage])}},
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "A hub token."}},
            "responses": {
                status: {"description": text, "content": {PROBLEM_MEDIA: {"schema": schemas[ProblemResponse]}}}
                for status, text in _ERRORS.items()
            },
        },
    }


def _describe_message(schema: Json) -> Json:
    """What Tripdeck sends to a registered address."""
    headers = {
        "webhook-id": "The message's id, the same at every attempt: drop those that you have.",
        "webhook-timestamp": "When it was signed, seconds since 1970.",
        "webhook-signature": "v1, and the base64 of HMAC-SHA256 over id, timestamp and body, joined by points.",
    }
    return {
        "operationId": "receive_load_ended",
        "summary": "A load has ended",
        "parameters": [
            {"name": name, "in": "header", "required": True, "description": text, "schema": {"type": "string"}}
            for name, text in headers.items()
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {
            "2XX": {"description": "Received. Redirects are not followed, and other answers are tried again."},
            "410": {"description": "Not wanted any more: this message is not tried again."},
        },
    }


def _list_models(operations: Iterable[Operation]) -> list[tuple[type[BaseModel], Any]]:
    found: dict[tuple[type[BaseModel], Any], None] = {
        (model, "serialization"): None for model in (ProblemResponse, LoadEvent, FeedSnapshot, WebhookMessage)
    }
    for each in operations:
        if each.body is not None:
            found[each.body, "validation"] = None
        if each.response is not None:
            found[each.response, "serialization"] = None
    return list(found)


def _describe(path: str, each: Operation, schemas: dict[type, Json]) -> Json:
    description: Json = {
        "operationId": each.id,
        "summary": each.summary,
        "tags": [path.split("/")[3] if path.startswith("/api/") else "hub"],
        "parameters": [*_list_parameters(path, each), *_list_headers(each)],
        "responses": {**_list_errors(path, each), **_list_responses(each, schemas)},
        "security": [{"token": []}] if each.scope else [],
    }
    if each.scope:
        description["description"] = f"Scope: {each.scope}."
    if each.body is not None:
        description["requestBody"] = {"required": True, "content": {"application/json": {"schema": schemas[each.body]}}}
    if each.file_body is not None:
        content = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
        description["requestBody"] = {"required": True, "description": each.file_body, "content": content}
    return description


def _describe_response(each: Operation, schemas: dict[type, Json]) -> Json:
    content: Json = {media: {} for media in each.media}
    if each.response is not None:
        content = {"application/json": {"schema": schemas[each.response]}, **content}
    return {"description": (each.response.__doc__ or "") if each.response else each.summary} | (
        {"content": content} if content else {}
    )


def _list_responses(each: Operation, schemas: dict[type, Json]) -> Json:
    usual = _describe_response(each, schemas)
    others = {str(status): {**usual, "description": text} for status, text in each.also.items()}
    others |= {status: {"description": others[status]["description"]} for status in others if status == "304"}
    return {**others, str(each.status): usual}


def _list_headers(each: Operation) -> Iterator[Json]:
    conditional = {"If-None-Match": "ETag of an answer that is known."} if 304 in each.also else {}
    for name, text in {**each.headers, **conditional}.items():
        yield {"name": name, "in": "header", "required": False, "description": text, "schema": {"type": "string"}}


def _list_errors(path: str, each: Operation) -> Json:
    statuses = ["400", "503"]
    if each.scope:
        statuses += ["401", "403"]
    if "{" in path or _NAMING & {field.alias or name for name, field in each.params.model_fields.items()}:
        statuses.append("404")
    if each.scope == "write":
        statuses.append("409")
    if each.body or each.file_body:
        statuses += ["408", "413", "422"]
    return {status: {"$ref": f"#/components/responses/{status}"} for status in sorted(statuses)}


def _list_parameters(path: str, each: Operation) -> Iterator[Json]:
    schema = each.params.model_json_schema(ref_template=_SCHEMAS)
    in_path = re.findall(r"{(\w+)}", path)
    for name, described in schema.get("properties", {}).items():
        facts = {key: value for key, value in _without_null(described).items() if key not in _NOTES}
        yield {
            "name": name,
            "in": "path" if name in in_path else "query",
            "required": name in in_path or name in schema.get("required", ()),
            "description": described.get("description", ""),
            "schema": facts,
        } | ({"example": described["examples"][0]} if "examples" in described else {})


def _without_null(schema: Json) -> Json:
    """A parameter is left out rather than null."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind.get("type") != "null"]
    if len(kinds) != 1:
        return schema
    kept: Json = {name: value for name, value in schema.items() if name not in ("anyOf", "default")}
    return {**kept, **kinds[0]}
