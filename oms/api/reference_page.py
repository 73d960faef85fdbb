"""GET /docs: the OpenAPI document as one page that needs nothing from elsewhere, and no script."""

import html
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

_STYLE: Final = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 3rem; border-bottom: 1px solid; text-transform: capitalize; }
section { margin: 2rem 0; }
h3 code { font-size: 1.05rem; }
.method { display: inline-block; min-width: 4.5rem; font-weight: 700; }
pre { overflow-x: auto; padding: .75rem; border: 1px solid #8886; border-radius: .25rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .2rem .75rem .2rem 0; }
nav a { display: inline-block; margin-right: 1rem; }
"""


def page_of(document: Mapping[str, Any]) -> str:
    """The page of an OpenAPI document."""
    info = document["info"]
    return "".join(
        (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{_text(info["title"])}',
            '</title><meta name="viewport" content="width=device-width">',
            f'<link rel="icon" href="data:,"><style>{_STYLE}</style>',
            f"<h1>{_text(info['title'])} {_text(info['version'])}</h1>",
            *(f"<p>{_prose(part)}</p>" for part in info["description"].strip().split("\n\n")),
            '<p>The same for programs: <a href="/openapi.json">/openapi.json</a></p>',
            *_parts(document),
            "</html>",
        )
    )


def _parts(document: Mapping[str, Any]) -> Iterator[str]:
    by_tag: dict[str, list[tuple[str, str, Mapping[str, Any]]]] = {}
    for path, methods in document["paths"].items():
        for method, route in methods.items():
            by_tag.setdefault(route["tags"][0], []).append((method, path, route))
    links = "".join(f'<a href="#{_id(tag)}">{_text(tag)}</a>' for tag in by_tag)
    yield f"<nav>{links}</nav>"
    for tag, routes in by_tag.items():
        yield f'<h2 id="{_id(tag)}">{_text(tag)}</h2>'
        for method, path, route in routes:
            yield from _route(document, method, path, route)


def _route(
    document: Mapping[str, Any], method: str, path: str, route: Mapping[str, Any]
) -> Iterator[str]:
    verb = f'<span class="method">{method.upper()}</span>'
    yield f"<section><h3><code>{verb}{_text(path)}</code></h3>"
    more = _prose(route.get("description", ""))
    yield f"<p><strong>{_text(route['summary'])}.</strong> {more}</p>"
    parameters = route.get("parameters", [])
    if parameters:
        rows = "".join(
            f"<tr><td><code>{_text(one['name'])}</code></td><td>{_text(one['in'])}"
            f"{', required' if one.get('required') else ''}</td>"
            f"<td>{_prose(one.get('description', ''))}</td></tr>"
            for one in parameters
        )
        yield f"<table>{rows}</table>"
    example = _example(document, route)
    if example is not None:
        yield f"<pre>{_text(json.dumps(example, indent=2))}</pre>"
    for title, shown in _answers(route):
        yield f"<details><summary>{_prose(title)}</summary><pre>{_text(shown)}</pre></details>"
    answers = (
        f"<tr><td><code>{_text(code)}</code></td><td>{_prose(answer['description'])}</td></tr>"
        for code, answer in sorted(route["responses"].items())
    )
    yield f"<table>{''.join(answers)}</table></section>"


def _example(document: Mapping[str, Any], route: Mapping[str, Any]) -> Any:
    """The first example of the route's body."""
    content = route.get("requestBody", {}).get("content", {}).get("application/json", {})
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    examples = document["components"]["schemas"].get(name, {}).get("examples", [])
    return examples[0] if examples else None


def _answers(route: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The examples of what the route answers: title and text."""
    for code, answer in sorted(route["responses"].items()):
        for content in answer.get("content", {}).values():
            if code.startswith("2") and "example" in content:
                found = content["example"]
                told = found if isinstance(found, str) else json.dumps(found, indent=2)
                yield f"`{code}` {answer['description']}", told


def _text(value: object) -> str:
    return html.escape(str(value))


def _prose(value: str) -> str:
    """Text with `code` in it."""
    parts = _text(value).split("`")
    return "".join(f"<code>{one}</code>" if n % 2 else one for n, one in enumerate(parts))


def _id(tag: str) -> str:
    return _text(tag.replace(" ", "-"))
