"""The OpenAPI document: what it shows as an example is what its own schemas take."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

import pytest

from oms.api.context import Reconcile
from oms.domain.reasons import SPECS, Reason
from tests.support.api import Api, running_api, settings_for_api

Schema = Mapping[str, Any]
NO_RUNS: Reconcile = lambda _venue, _day: 0  # noqa: E731 - never called
KINDS: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
KNOWN = {
    *("$ref", "additionalProperties", "anyOf", "const", "default", "description", "enum"),
    *("examples", "exclusiveMaximum", "format", "items", "maxLength", "maximum", "minLength"),
    *("minimum", "pattern", "properties", "required", "title", "type", "maxItems", "minItems"),
}


@pytest.fixture(scope="module")
def document(module_url: str) -> Iterator[dict[str, Any]]:
    with running_api(settings_for_api(), module_url, NO_RUNS) as api:
        yield api.anonymous.get("/openapi.json").json()


def faults(value: object, schema: Schema, schemas: Schema, path: str = "") -> Iterator[str]:
    """Where the value is not what the schema says (JSON Schema, as much of it as we use)."""
    assert set(schema) <= KNOWN, f"{path}: a word that this test does not know: {set(schema)}"
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/components/schemas/")
        yield from faults(value, schemas[name], schemas, f"{path}<{name}>")
    if "anyOf" in schema:
        tried = [list(faults(value, one, schemas, path)) for one in schema["anyOf"]]
        if all(tried):
            yield from min(tried, key=len)
    kind = schema.get("type")
    right = kind is None or isinstance(value, KINDS[kind])
    if not right or (isinstance(value, bool) and kind in {"integer", "number"}):
        yield f"{path}: {value!r} is no {kind}"
        return
    yield from (f"{path}: {value!r} {what}" for what in _broken(value, schema))
    if isinstance(value, dict):
        fields = schema.get("properties", {})
        yield from (
            f"{path}.{one}: is missing" for one in schema.get("required", ()) if one not in value
        )
        for name, one in value.items():
            if name in fields:
                yield from faults(one, fields[name], schemas, f"{path}.{name}")
            elif schema.get("additionalProperties") is False or fields:
                yield f"{path}.{name}: is no field"
            elif isinstance(schema.get("additionalProperties"), dict):
                inner = schema["additionalProperties"]
                yield from faults(one, inner, schemas, f"{path}.{name}")
    if isinstance(value, list):
        for n, one in enumerate(value):
            yield from faults(one, schema.get("items", {}), schemas, f"{path}[{n}]")


def _broken(value: object, schema: Schema) -> Iterator[str]:
    if "enum" in schema and value not in schema["enum"]:
        yield f"is none of {schema['enum']}"
    if "const" in schema and value != schema["const"]:
        yield f"is not {schema['const']!r}"
    if isinstance(value, str):
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
            yield "has the wrong length"
        if not re.search(schema.get("pattern", ""), value):
            yield f"does not match {schema['pattern']}"
        read = {"date": date.fromisoformat, "date-time": datetime.fromisoformat}
        try:
            read.get(schema.get("format", ""), str)(value)
        except ValueError:
            yield f"is no {schema['format']}"
    number = isinstance(value, int) and not isinstance(value, bool)
    if number and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield "is out of range"


def routes(document: Schema) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, route in methods.items():
            yield f"{method.upper()} {path}", route


def test_every_success_has_an_example_that_its_schema_takes(document: dict[str, Any]) -> None:
    schemas, seen = document["components"]["schemas"], 0
    for name, route in routes(document):
        good = [code for code in route["responses"] if code.startswith("2")]
        assert good, name
        for code in good:
            content = route["responses"][code]["content"]
            assert content, (name, code)
            for one in content.values():
                found = list(faults(one["example"], one["schema"], schemas))
                assert not found, (name, code, found)
                assert one["example"], (name, code)
                seen += 1
    assert seen >= 60


def test_every_example_and_default_of_a_schema_is_one(document: dict[str, Any]) -> None:
    schemas, seen = document["components"]["schemas"], 0
    for name, schema in schemas.items():
        inner = [(f"{name}.{key}", one) for key, one in schema.get("properties", {}).items()]
        for path, one in [(name, schema), *inner]:
            shown = [*one.get("examples", ()), *([one["default"]] if "default" in one else ())]
            for value in shown:
                assert not list(faults(value, one, schemas, path)), (path, value)
                seen += 1
    assert seen > 20


def test_lists_show_a_row_and_amounts_are_no_numbers(document: dict[str, Any]) -> None:
    def floats(value: object) -> bool:
        if isinstance(value, dict | list):
            return any(map(floats, value.values() if isinstance(value, dict) else value))
        return isinstance(value, float)

    for name, route in routes(document):
        for code, answer in route["responses"].items():
            for one in answer.get("content", {}).values():
                example = one.get("example")
                assert not floats(example), (name, code)
                if code == "200" and isinstance(example, dict) and "items" in example:
                    assert example["items"], name


def test_the_reference_page_tells_of_everything(api: Api, document: dict[str, Any]) -> None:
    with_page = api.anonymous.get("/docs")
    assert with_page.headers["content-type"].startswith("text/html")
    page = with_page.text
    for name, route in routes(document):
        if name == "POST /v1/recon/runs":
            continue  # this API has been given nothing to reconcile with
        method, _, path = name.partition(" ")
        start = page.index(f'<span class="method">{method}</span>{path}</code>')
        section = page[start : page.index("</section>", start)]
        assert route["summary"].replace("'", "&#x27;") in section
        for one in route.get("parameters", ()):
            assert f"<code>{one['name']}</code>" in section, name
        if "requestBody" in route:
            assert "<pre>{" in section, name
        for code in route["responses"]:
            assert f"<td><code>{code}</code></td>" in section, (name, code)
        shown = sum(len(one.get("content", ())) for one in _successes(route))
        assert section.count("<details>") == shown, name


def _successes(route: Schema) -> list[Schema]:
    return [answer for code, answer in route["responses"].items() if code.startswith("2")]


@pytest.mark.parametrize("reason", sorted(Reason))
def test_no_refusal_has_a_status_on_which_clients_repeat_by_themselves(reason: Reason) -> None:
    assert SPECS[reason].http_status in {403, 404, 409, 422}
