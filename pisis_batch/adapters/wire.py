"""Values between this process and a child: framed pickles that can only become values of the core.

The child has read what a sender wrote, so nothing it says is trusted to run: only values of classes of the core, frames
and dates come out of a message, and it changes nothing but those (`_Maker`); a layout travels as its name.
"""

import io
import pickle  # read only through _Reader, which builds nothing but values of the core
import socket
import struct
from collections.abc import Callable
from copy import copy
from enum import Enum
from functools import lru_cache, partial
from importlib import import_module
from typing import Any, Literal
from zoneinfo import ZoneInfo

import polars as pl

from pisis_batch.layouts import Layout, Shelf

_CORE = ("model", "judging", "layouts", "validators", "reports", "changes", "causes")
_PLAIN = {
    ("datetime", "date"),
    ("datetime", "datetime"),
    ("datetime", "timedelta"),
    ("datetime", "timezone"),
    ("zoneinfo", "ZoneInfo"),
}
_LENGTH = struct.Struct(">Q")
_CHUNK = 1 << 20
_LARGE = 50_000  # rows


class WireError(RuntimeError):
    """What the other side said is not a message."""


class GoneError(WireError):
    """The other side is gone."""


def frame_of(content: bytes) -> pl.DataFrame:
    """A frame from its Arrow bytes."""
    return pl.read_ipc_stream(io.BytesIO(content))


def empty_of(content: bytes) -> pl.DataFrame:
    """A frame without rows. Of another, no row."""
    return _empty(content).clone()


@lru_cache(maxsize=256)
def _empty(content: bytes) -> pl.DataFrame:
    """The same few come with every file; whoever is given one has a handle of his own."""
    return frame_of(content).clear()


def numbers_of(content: bytes) -> Any:
    """An array of 64-bit numbers from its bytes."""
    import numpy as np  # noqa: PLC0415 only a large file needs it

    return np.frombuffer(content, np.uint64)


def layout_of(annex: str, version: str) -> Layout:
    """Stands in a message for a layout, which the other side has."""
    raise NotImplementedError


def known_of() -> object:
    """Stands in a message for what the other side said."""
    raise NotImplementedError


#: What makes what is no value of the core, besides the two that the reader makes itself.
_OWN: dict[str, Callable[..., Any]] = {one.__name__: one for one in (frame_of, empty_of, numbers_of)}


def _held(obj: Any) -> Any:
    """The class of a value of the core and what it holds, as `_made` takes it; of any other what pickle itself does."""
    kind = type(obj)
    if not kind.__module__.startswith("pisis_batch.") or "__reduce__" in vars(kind):
        return NotImplemented
    if isinstance(obj, Enum):
        return kind, (obj.value,)
    return kind, (tuple(obj) if isinstance(obj, tuple) else obj.__getstate__(),)


class _Maker:
    """All that a message is given of a class or a function: it can be called, and nothing of it can be changed.

    For a message may set attributes on whatever it was given; of a class they would be everybody's.
    """

    __slots__ = ("_make",)

    def __init__(self, make: Callable[..., Any]) -> None:
        object.__setattr__(self, "_make", make)

    def __setattr__(self, name: str, value: object) -> None:
        raise WireError("a message would change what it was given")

    def __call__(self, *given: Any) -> Any:
        """The value."""
        return self._make(*given)  # type: ignore[attr-defined]  # set above, past what keeps others from it


def _made(kind: type, state: Any) -> Any:
    """A value of a class with what it holds, as `__getstate__` tells it."""
    if issubclass(kind, tuple):
        return tuple.__new__(kind, state)
    made: Any = kind.__new__(kind)
    if isinstance(state, list):  # of a frozen class with slots
        made.__setstate__([one.make() if isinstance(one, _Member) else one for one in state])
    elif state:
        vars(made).update({name: one.make() if isinstance(one, _Member) else one for name, one in state.items()})
    return made


class _Member:
    """A member of an enumeration until whoever holds it is made: everybody has the same, and it can be changed."""

    __slots__ = ("_kind", "_value")

    def __init__(self, kind: type, value: str) -> None:
        self._kind, self._value = kind, value

    def make(self) -> Any:
        """The member. Raises ValueError when there is none."""
        return self._kind(self._value)


def _bytes_of(frame: pl.DataFrame) -> bytes:
    said = io.BytesIO()
    # a large frame says much the same over and over, and what is sent is in memory several times
    pressed: Literal["lz4", "uncompressed"] = "lz4" if frame.height >= _LARGE else "uncompressed"
    # polars writes under a lock of the frame and waits for the interpreter meanwhile: with a frame that threads share,
    # one of them would wait for the lock with the interpreter in hand, and neither would ever go on
    frame.clone().write_ipc_stream(said, compression=pressed, compat_level=pl.CompatLevel.newest())
    return said.getvalue()


@lru_cache(maxsize=256)
def _without_rows(schema: tuple[tuple[str, pl.DataType], ...]) -> bytes:
    """The Arrow bytes of a frame without rows."""
    return _bytes_of(pl.DataFrame(schema=dict(schema)))


def _frame(obj: pl.DataFrame) -> tuple[Callable[[bytes], pl.DataFrame], tuple[bytes]]:
    """What makes a frame again."""
    if obj.is_empty():
        return empty_of, (_without_rows(tuple(obj.schema.items())),)
    return frame_of, (_bytes_of(obj),)


class _Writer(pickle.Pickler):
    def __init__(self, said: io.BytesIO, known: object) -> None:
        super().__init__(said, protocol=5)
        self._known = known

    def reducer_override(self, obj: Any) -> Any:
        """What stands for a value that is not plain: not asked for texts and numbers, as `persistent_id` would be."""
        if obj is self._known:
            return known_of, ()
        if isinstance(obj, Layout):
            return layout_of, (obj.annex, obj.version)
        if isinstance(obj, pl.DataFrame):
            return _frame(obj)
        if type(obj).__module__ == "numpy" and type(obj).__name__ in {"ndarray", "memmap"}:
            return numbers_of, (obj.astype("uint64", casting="no", copy=False).tobytes(),)
        if isinstance(obj, ZoneInfo):
            return ZoneInfo, (obj.key,)
        return _held(obj)


class _Reader(pickle.Unpickler):
    def __init__(self, content: bytes, shelf: Shelf, known: object) -> None:
        super().__init__(io.BytesIO(content))
        self._shelf, self._known = shelf, known

    def _layout_of(self, annex: str, version: str) -> Layout:
        """A copy, for whatever a message sets on it is seen by no other."""
        return copy(next(one for one in self._shelf if (one.annex, one.version) == (annex, version)))

    def _known_of(self) -> object:
        if self._known is None:
            raise WireError("a message named what the other side does not have")
        return self._known

    def find_class(self, module_name: str, global_name: str) -> Any:
        if module_name == __name__ and global_name in {"layout_of", "known_of"}:
            return _Maker(getattr(self, f"_{global_name}"))
        found = _maker(module_name, global_name)
        if found is None:
            raise WireError(f"a message asked for {module_name}.{global_name}")
        return found


@lru_cache(maxsize=256)
def _maker(module_name: str, global_name: str) -> _Maker | None:
    """What makes values of a class by its name; every message names the same thirty."""
    if module_name == __name__ and global_name in _OWN:
        return _Maker(_OWN[global_name])
    if (module_name, global_name) in _PLAIN:
        return _Maker(getattr(import_module(module_name), global_name))
    package, _, rest = module_name.partition(".")
    if package != "pisis_batch" or rest.partition(".")[0] not in _CORE or "." in global_name:
        return None
    found = getattr(import_module(module_name), global_name)
    if not isinstance(found, type) or found.__module__ != module_name:
        return None
    if issubclass(found, Enum):
        return _Maker(partial(_Member, found))
    return _Maker(found if "__reduce__" in vars(found) else partial(_made, found))


def dumps(value: object, known: object = None) -> bytes:
    """A value as a message. What it holds of `known`, the very object, the other side has too and is only named."""
    said = io.BytesIO()
    _Writer(said, known).dump(value)
    return said.getvalue()


def loads(content: bytes, shelf: Shelf, known: object = None) -> Any:
    """The value of a message. Raises WireError when it would be anything but a value of the core."""
    return _Reader(content, shelf, known).load()


def put(channel: socket.socket, content: bytes) -> None:
    """Send one message; a small one in one piece, so that the other side wakes once."""
    length = _LENGTH.pack(len(content))
    if len(content) <= _CHUNK:
        channel.sendall(length + content)
        return
    channel.sendall(length)
    channel.sendall(content)


def take(channel: socket.socket) -> bytes:
    """Receive one message. Raises GoneError when the other side is, TimeoutError by the socket's timeout."""
    (length,) = _LENGTH.unpack(_exactly(channel, _LENGTH.size))
    return _exactly(channel, length)


def _exactly(channel: socket.socket, length: int) -> bytes:
    content = bytearray()
    while len(content) < length:
        piece = channel.recv(min(_CHUNK, length - len(content)))
        if not piece:
            raise GoneError("the other side is gone")
        content += piece
    return bytes(content)
