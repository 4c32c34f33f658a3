"""The matcher's OpenAPI document, made from the words that cross the wire."""

from typing import Any, get_args

from pydantic.json_schema import models_json_schema

from matcher.contract import (
    CLASS,
    VERSION,
    FacesFound,
    GalleryFacts,
    ModelFacts,
    Operation,
    PersonFacts,
    Problem,
    SearchResult,
)

OPERATIONS = get_args(Operation)
MODELS = (FacesFound, SearchResult, PersonFacts, GalleryFacts, ModelFacts, Problem, *OPERATIONS)
JPEG = {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}
PNG = {"image/png": {"schema": {"type": "string", "format": "binary"}}}
OPERATION = {
    "name": "operation",
    "in": "query",
    "required": True,
    "content": {
        "application/json": {"schema": {"oneOf": [{"$ref": f"#/components/schemas/{o.__name__}"} for o in OPERATIONS]}}
    },
}
CLASSES = {
    "name": "class",
    "in": "query",
    "required": False,
    "schema": {"type": "array", "items": {"type": "string", "pattern": f"^{CLASS}$"}, "minItems": 1, "maxItems": 20},
}
PROBLEMS = {
    400: "the body is not what its headers say",
    401: "the secret is missing or wrong",
    404: "there is no such thing, or it may not be shown",
    413: "more than 20 MB",
    415: "not a JPEG, PNG, WebP or HEIC",
    422: "the photograph or the question cannot be used; the reason is a sentence for the person",
    500: "a fault of the matcher's own, which is in its log",
    503: "not now: being loaded, out of service, or the database is away",
}
PHOTO_PROBLEMS = (400, 401, 413, 415, 422)


def document() -> dict[str, Any]:
    """OpenAPI 3.1. Every answer that a route can give is in it."""
    _, schemas = models_json_schema([(model, "serialization") for model in MODELS], ref_template=_REF)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Leadgate matcher", "version": VERSION},
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"secret": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"secret": []}],
        "paths": {
            "/healthz": {"get": _route("alive", {"application/json": {}}, (), security=[])},
            "/readyz": {"get": _route("ready to search", {"application/json": {}}, (401, 503))},
            "/openapi.json": {"get": _route("this document", {"application/json": {}}, (401,))},
            "/v1/gallery": {"get": _route("what is searched", _json(GalleryFacts), (401, 503))},
            "/v1/model": {"get": _route("what it is searched with", _json(ModelFacts), (401,))},
            "/v1/faces": {"post": _photo_route("the faces in a photograph", _json(FacesFound))},
            "/v1/search": {
                "post": _photo_route(
                    "the people who look most like a face",
                    _json(SearchResult),
                    (_query("face", 0, 40), _query("k", 2, 50), CLASSES),
                    problems=(*PHOTO_PROBLEMS, 503),
                )
            },
            "/v1/copy": {
                "post": _photo_route("a safe copy", JPEG, (_query("keep", 0, 40), _query("crop", 0, 1))),
            },
            "/v1/marked": {"post": _photo_route("a safe copy with a number on each face", JPEG)},
            "/v1/masked": {
                "post": _photo_route("a lossless copy, other faces masked", PNG, (_query("keep", 0, 40),)),
            },
            "/v1/prepared": {"post": _photo_route("a lossless copy after one operation", PNG, (OPERATION,))},
            "/v1/photos/{photo}": {"get": _route("a photograph", JPEG, (401, 404, 503), (_path("photo"),))},
            "/v1/people/{person}": {
                "get": _route("pedigree", _json(PersonFacts), (401, 404, 422, 503), (_path("person"), CLASSES))
            },
        },
    }


_REF = "#/components/schemas/{model}"


def _json(model: type[Any]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REF.format(model=model.__name__)}}}


def _route(
    summary: str, content: dict[str, Any], problems: tuple[int, ...], parameters: tuple[Any, ...] = (), **more: Any
) -> dict[str, Any]:
    answers: dict[str, Any] = {"200": {"description": summary, "content": content}}
    answers |= {str(code): {"description": PROBLEMS[code], "content": _json(Problem)} for code in (*problems, 500)}
    return {"summary": summary, "parameters": list(parameters), "responses": answers, **more}


def _photo_route(
    summary: str, content: dict[str, Any], query: tuple[Any, ...] = (), problems: tuple[int, ...] = PHOTO_PROBLEMS
) -> dict[str, Any]:
    body = {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
    return _route(summary, content, problems, query, requestBody=body)


def _query(name: str, least: int, most: int) -> dict[str, Any]:
    schema = {"type": "integer", "minimum": least, "maximum": most}
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
