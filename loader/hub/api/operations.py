"""Operations: the parameters and responses of a handler's method, declared once beside it.

    @Operation("One load with its rejects per reason", id="get_load", params=LoadParams, response=LoadDetailResponse)
    async def get(self, params: LoadParams) -> None: ...

The decorator hands the validated parameters to the method; the OpenAPI document is made from the same models.
"""

import functools
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Final, Protocol, TypeVar, cast

from pydantic import ValidationError

from loader.hub.api.params import NoParams, Params
from loader.hub.api.responses import Response
from loader.hub.support.errors import translate_validation
from shared.platform.errors import RequestError
from shared.platform.hub_tokens import Scope

A = TypeVar("A", bound=Params)
Method = Callable[..., Coroutine[Any, Any, None]]

METHODS: Final = ("get", "post", "put", "delete")
JSON_LIMIT_BYTES: Final = 2**20


class ParsedRequest(Protocol):
    """A handler whose request has been read."""

    params: Params
    is_refused: bool

    def take_body(self) -> Params | None:
        """The validated JSON body, where the operation takes one."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path, as a decorator.

    file_body: what a body that is a file means; media: other forms of the answer; scope None: open to everybody.
    is_alias: whether it is another address of an operation, which the description leaves out.
    also: other answers than the usual one, with what they mean; errors, which all have in common, aside.
    headers: headers that change the answer, with their meaning.
    """

    summary: str
    _: KW_ONLY
    id: str
    params: type[Params] = NoParams
    body: type[Params] | None = None
    file_body: str | None = None
    response: type[Response] | None = None
    status: int = 200
    media: tuple[str, ...] = ()
    is_alias: bool = False
    also: Mapping[int, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    scope: Scope | None = "read"

    def __call__(self, method: Method) -> Method:
        """Hand validated parameters and body to the method, unless the request has been refused already."""

        @functools.wraps(method)
        async def run(handler: ParsedRequest, **_path: str) -> None:
            if handler.is_refused:
                return
            body = handler.take_body()
            await (method(handler, handler.params) if body is None else method(handler, handler.params, body))

        cast(Any, run).operation = self
        return run


def find_operation(handler: type, method: str) -> Operation | None:
    """The operation of a handler's method."""
    found = getattr(handler, "get" if method == "HEAD" else method.lower(), None)
    return getattr(found, "operation", None)


def list_operations(handler: type) -> dict[str, Operation]:
    """A handler's operations by method."""
    return {method: found for method in METHODS if (found := find_operation(handler, method))}


def parse_params(model: type[A], path: Mapping[str, str], query: Mapping[str, list[bytes]]) -> A:
    """Validate path and query parameters. Raises: RequestError naming the first that doesn't fit."""
    values: dict[str, object] = {}
    for name, given in query.items():
        if name in path:
            raise RequestError(f"There is no parameter {name!r} here.", parameter=name)
        values[name] = _read_values(name, given, is_list=_is_list(model, name))
    try:
        return model.model_validate({**values, **path})
    except ValidationError as error:
        raise translate_validation(error) from error


def parse_body(model: type[Params], body: bytes) -> Params:
    """Validate a JSON body; an empty one is an empty object. Raises: RequestError."""
    try:
        return model.model_validate_json(body or b"{}")
    except ValidationError as error:
        raise translate_validation(error) from error


def _is_list(model: type[Params], name: str) -> bool:
    field = model.model_fields.get(name)
    return field is not None and field.default_factory is list


def _read_values(name: str, given: list[bytes], *, is_list: bool) -> object:
    try:
        texts = [value.decode() for value in given]
    except UnicodeDecodeError as error:
        raise RequestError(f"{name} isn't UTF-8 text.", parameter=name) from error
    if is_list:
        return texts
    if len(texts) > 1:
        raise RequestError(f"{name} is given more than once.", parameter=name)
    return texts[0]
