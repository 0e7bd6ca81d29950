"""The page that shows the OpenAPI document: plain HTML, no script, nothing fetched from anywhere."""

from collections.abc import Iterator
from html import escape
from typing import Any, Final

Json = dict[str, Any]

_STYLE: Final = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin: 2rem 0 .5rem; border-bottom: 1px solid #8886; } code, summary { font-family: ui-monospace, monospace; }
details { border: 1px solid #8886; border-radius: .4rem; padding: .4rem .7rem; margin: .4rem 0; } summary { cursor: pointer; }
summary span { font: 15px system-ui, sans-serif; opacity: .75; margin-left: .6rem; }
b { display: inline-block; min-width: 4.2rem; }
table { border-collapse: collapse; width: 100%; margin: .4rem 0; }
td { text-align: left; vertical-align: top; padding: .2rem .6rem .2rem 0; } td:first-child { white-space: nowrap; }
"""


def render_docs(document: Json) -> str:
    """Show an OpenAPI document as one HTML page."""
    info = document["info"]
    body = "".join(_list_sections(document))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(info['title'])} API</title><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(info['title'])} API {escape(info['version'])}</h1><p>{escape(info['description'])}</p>"
        f'<p>For programs: <a href="/openapi.json">openapi.json</a></p>{body}</body></html>'
    )


def _list_sections(document: Json) -> Iterator[str]:
    by_tag: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, each in methods.items():
            by_tag.setdefault(each["tags"][0], []).append(_render_operation(path, method, each))
    for tag, operations in by_tag.items():
        yield f"<h2>{escape(tag)}</h2>{''.join(operations)}"
    yield "<h2>Shapes</h2>"
    for name, schema in sorted(document["components"]["schemas"].items()):
        rows = "".join(_render_field(*each) for each in schema.get("properties", {}).items())
        title = f"{escape(name)}<span>{escape(schema.get('description', ''))}</span>"
        yield f'<details id="{escape(name)}"><summary>{title}</summary><table>{rows}</table></details>'


def _render_operation(path: str, method: str, each: Json) -> str:
    rows = "".join(_render_parameter(parameter) for parameter in each["parameters"])
    body = each.get("requestBody", {})
    taken = "".join(
        f"<p>Body: {escape(media)} {_render_type(facts.get('schema', {}))}</p>"
        for media, facts in body.get("content", {}).items()
    )
    given = "".join(_render_answer(status, answer) for status, answer in each["responses"].items())
    return (
        f"<details><summary><b>{method.upper()}</b> {escape(path)}<span>{escape(each['summary'])}</span></summary>"
        f"<p>{escape(each.get('description', 'No token needed.'))}</p>"
        f"<table>{rows}</table>{taken}<table>{given}</table></details>"
    )


def _render_parameter(parameter: Json) -> str:
    name, schema = parameter["name"], parameter["schema"]
    notes = [parameter["in"], *(["required"] if parameter["required"] else [])]
    if schema.get("default") not in (None, []):
        notes.append(f"default {schema['default']}")
    return (
        f"<tr><td><code>{escape(name)}</code></td><td>{_render_type(schema)}</td><td>{escape(', '.join(notes))}</td>"
        f"<td>{escape(parameter['description'])}</td></tr>"
    )


def _render_answer(status: str, answer: Json) -> str:
    if "$ref" in answer:
        return f"<tr><td>{escape(status)}</td><td>an error</td></tr>"
    forms = ", ".join(
        f"{escape(media)} {_render_type(facts.get('schema', {}))}" for media, facts in answer.get("content", {}).items()
    )
    return f"<tr><td>{escape(status)}</td><td>{escape(answer['description'])} {forms}</td></tr>"


def _render_field(name: str, schema: Json) -> str:
    description = escape(schema.get("description", ""))
    return f"<tr><td><code>{escape(name)}</code></td><td>{_render_type(schema)}</td><td>{description}</td></tr>"


def _render_type(schema: Json) -> str:
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_render_type(each) for each in schema["anyOf"])
    if "enum" in schema:
        return escape(" | ".join(map(str, schema["enum"])))
    if schema.get("type") == "array":
        return f"list of {_render_type(schema.get('items', {}))}"
    return escape(str(schema.get("type", "")))
