"""What every table of a layout is made of: frozen values, declared once and made in two ways.

What travels with the program was judged when it was released, so it is `built` at once. What somebody else wrote is
`validated`: pydantic reads the same declarations and names every mistake. Loading pydantic takes ten times as long as
building an annex, and a file of an annex that travels with the program is judged without it.
"""

import dataclasses
import json
from collections.abc import Callable, Mapping
from functools import cache, reduce
from operator import or_
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Self,
    TypeVar,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

_Make = Callable[[Any], Any]


def Key(*, default: Any = dataclasses.MISSING, description: str = "", alias: str = "", **limits: Any) -> Any:  # noqa: N802
    """A key of a table: its default, its name in TOML (`alias`), and limits in the words of pydantic's `Field`."""
    said = {"description": description or None, "alias": alias or None, **limits}
    metadata = {name: value for name, value in said.items() if value is not None}
    if isinstance(default, dict):
        return dataclasses.field(default_factory=dict, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(Key,))
class Strict:
    """The base of every table of a layout: frozen, and a key it does not know is a mistake."""

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid", "validate_by_name": True, "validate_by_alias": True}
    #: Name -> key, in order.
    keys: ClassVar[Mapping[str, "dataclasses.Field[Any]"]]

    def __init_subclass__(cls) -> None:
        dataclasses.dataclass(init=False, repr=False, eq=False, kw_only=True, match_args=False)(cls)
        cls.keys = {one.name: one for one in dataclasses.fields(cls)}  # type: ignore[arg-type]  # it is one now

    def __init__(self, **values: Any) -> None:
        for name, one in self.keys.items():
            if name not in values:
                if one.default_factory is not dataclasses.MISSING:
                    values[name] = one.default_factory()
                elif one.default is dataclasses.MISSING:
                    raise TypeError(f"{type(self).__name__}: {name}")
                else:
                    values[name] = one.default
        if len(values) > len(self.keys):
            raise TypeError(f"{type(self).__name__}: {', '.join(sorted(set(values) - set(self.keys)))}")
        vars(self).update(values)

    def __setattr__(self, name: str, value: object) -> None:
        raise dataclasses.FrozenInstanceError(name)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and all(getattr(self, name) == getattr(other, name) for name in self.keys)

    def __hash__(self) -> int:
        return hash(self.written())

    def but(self, **changes: Any) -> Self:
        """The same with other values for some keys."""
        return type(self)(**{**{name: getattr(self, name) for name in self.keys}, **changes})

    @property
    def said(self) -> frozenset[str]:
        """The keys that say more than their default."""
        silent = {name for name, one in self.keys.items() if getattr(self, name) == _default(one)}
        return frozenset(self.keys) - silent

    def written(self) -> str:
        """As JSON: the same for the same values."""
        return json.dumps(self, default=_plain, ensure_ascii=False)


def _plain(value: object) -> object:
    return {name: getattr(value, name) for name in value.keys} if isinstance(value, Strict) else str(value)


def _default(one: "dataclasses.Field[Any]") -> Any:
    return one.default if one.default_factory is dataclasses.MISSING else one.default_factory()


class Before:
    """In an annotation: what is written is first given to this."""

    def __init__(self, first: _Make, schema: Mapping[str, Any] | None = None) -> None:
        self.first, self.schema = first, schema

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema  # noqa: PLC0415 only to validate

        return core_schema.no_info_before_validator_function(self.first, handler(source))

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> Any:
        return handler(schema) if self.schema is None else dict(self.schema)


class Written:
    """In an annotation: how a text is written."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic import Field  # noqa: PLC0415 only to validate

        return handler.generate_schema(Annotated[source, Field(pattern=self.pattern)])


class OneOf:
    """In an annotation: which of several forms it has, by what `which` says of it or by its key `kind`."""

    def __init__(self, forms: Mapping[str, Any], which: Callable[[Any], str] | None = None) -> None:
        self.forms, self._which = forms, which

    def form(self, value: Any) -> Any:
        """The form of what is written."""
        return self.forms[self._which(value) if self._which else value["kind"]]

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic import Discriminator, Field, Tag  # noqa: PLC0415 only to validate

        if self._which is None:
            return handler.generate_schema(Annotated[reduce(or_, self.forms.values()), Field(discriminator="kind")])
        tagged = [Annotated[form, Tag(name)] for name, form in self.forms.items()]
        return handler.generate_schema(Annotated[reduce(or_, tagged), Discriminator(self._which)])


Table = TypeVar("Table", bound=Strict)


def built(kind: type[Table], content: Mapping[str, Any]) -> Table:
    """A table of what its TOML says, which is known to be right."""
    makers = _makers(kind)  # type: ignore[arg-type]  # a class is hashable
    return kind(**{name: make(value) for (name, make), value in ((makers[key], v) for key, v in content.items())})


def validated(kind: type[Table], content: Mapping[str, Any]) -> Table:
    """A table of what its TOML says. Raises pydantic's ValidationError, which is a ValueError, naming every mistake."""
    made: Table = adapter(kind).validate_python(content)  # type: ignore[arg-type]  # the same
    return made


@cache
def adapter(kind: type[Strict]) -> Any:
    """Pydantic's view of a table."""
    from pydantic import TypeAdapter  # noqa: PLC0415 only to validate

    return TypeAdapter(kind)


@cache
def _makers(kind: type[Strict]) -> dict[str, tuple[str, _Make]]:
    """Key as TOML writes it -> its name, and what makes its value."""
    hints = get_type_hints(kind, include_extras=True)
    made = {name: (name, _maker(hints[name])) for name in kind.keys}
    return made | {one.metadata.get("alias", name): made[name] for name, one in kind.keys.items()}


def _maker(hint: Any) -> _Make:
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _annotated(_maker(inner[0]), inner[1])
    if origin in {Union, UnionType}:
        whole = [one for one in inner if one is not NoneType]
        return _maker(whole[0]) if len(whole) == 1 else _same
    if origin is tuple:
        of = _maker(inner[0])
        return lambda value: tuple(map(of, value))
    if origin is dict:
        of = _maker(inner[1])
        return lambda value: {key: of(one) for key, one in value.items()}
    if isinstance(hint, type) and issubclass(hint, Strict):
        return lambda value: built(hint, value)
    return getattr(hint, "parse", _same)


def _annotated(make: _Make, how: Any) -> _Make:
    if isinstance(how, Before):
        return lambda value: make(how.first(value))
    if isinstance(how, OneOf):
        makers = {id(form): _maker(form) for form in how.forms.values()}
        return lambda value: makers[id(how.form(value))](value)
    return make


def _same(value: Any) -> Any:
    return value
