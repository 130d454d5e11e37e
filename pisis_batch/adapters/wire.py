"""Values between this process and a child: framed pickles that can only become values of the core.

The child has read what a sender wrote, so nothing it says is trusted to run: only classes of the core, frames and
dates come out of a message; a layout travels as its name.
"""

import io
import pickle  # read only through _Reader, which builds nothing but values of the core
import socket
import struct
from collections.abc import Callable
from functools import lru_cache
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


@lru_cache(maxsize=256)
def empty_of(content: bytes) -> pl.DataFrame:
    """A frame without rows: the same few come with every file, and no frame is ever changed. Of another, no row."""
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


#: What may make a value of a message; None: the reader itself does.
_MAKERS: dict[str, Callable[[bytes], Any] | None] = {
    "frame_of": frame_of,
    "empty_of": empty_of,
    "numbers_of": numbers_of,
    "layout_of": None,
    "known_of": None,
}


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
        return NotImplemented


class _Reader(pickle.Unpickler):
    def __init__(self, content: bytes, shelf: Shelf, known: object) -> None:
        super().__init__(io.BytesIO(content))
        self._shelf, self._known = shelf, known

    def _layout_of(self, annex: str, version: str) -> Layout:
        return next(one for one in self._shelf if (one.annex, one.version) == (annex, version))

    def _known_of(self) -> object:
        if self._known is None:
            raise WireError("a message named what the other side does not have")
        return self._known

    def find_class(self, module_name: str, global_name: str) -> Any:
        if module_name == __name__ and global_name in _MAKERS:
            return _MAKERS[global_name] or getattr(self, f"_{global_name}")
        if (found := _of_core(module_name, global_name)) is not None:
            return found
        if (module_name, global_name) in _PLAIN:
            return super().find_class(module_name, global_name)
        raise WireError(f"a message asked for {module_name}.{global_name}")


@lru_cache(maxsize=256)
def _of_core(module_name: str, global_name: str) -> type | None:
    """A class of the core by its name; every message names the same thirty."""
    package, _, rest = module_name.partition(".")
    if package != "pisis_batch" or rest.partition(".")[0] not in _CORE or "." in global_name:
        return None
    found = getattr(import_module(module_name), global_name)
    return found if isinstance(found, type) and found.__module__ == module_name else None


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
