"""Npz files: written whole; read from a stranger, sizes and types are checked before anything is unpacked, and pickles
never load."""

from __future__ import annotations

import io
import lzma
import math
import os
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

MAX_UNPACKED_BYTES = 2 << 30
MAX_MEMBERS = 20_000
_MAX_HEADER_BYTES = 10_000
_UNREADABLE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, KeyError, MemoryError, NotImplementedError,
    OSError, OverflowError, RuntimeError, TypeError, ValueError,
)  # fmt: skip


@dataclass(frozen=True)
class Member:
    """What the header of one array announces."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    @property
    def bytes(self) -> int:
        """Bytes of the unpacked array."""
        return math.prod(self.shape) * self.dtype.itemsize


def write_arrays(path: str | os.PathLike[str], arrays: Mapping[str, NDArray[Any]]) -> Path:
    """Write an npz file, whole or not at all. OSError where it cannot be written."""
    target = Path(path)
    partial = target.with_name(target.name + ".partial")
    try:
        with partial.open("wb") as file:
            np.savez_compressed(file, **dict(arrays))  # type: ignore[arg-type]
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target


def announced(content: bytes) -> tuple[Mapping[str, Member], list[str]]:
    """What each array of an npz file says it is, by name, without unpacking one; and what is wrong with the file.

    Wrong: no zip file, or a truncated one; members that are no .npy arrays, hold Python objects, or whose announced
    size differs from their shape; more than 2 GiB unpacked.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _announced(archive)
    except _UNREADABLE as error:
        return {}, [f"this is no npz file, or a truncated one: {error}"]


def read_arrays(content: bytes, names: Iterable[str]) -> tuple[dict[str, NDArray[Any]], list[str]]:
    """Unpack the arrays of these names, which :func:`announced` found in order; and say which are damaged."""
    arrays: dict[str, NDArray[Any]] = {}
    problems = []
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in names:
            try:
                with archive.open(f"{name}.npy") as file:
                    arrays[name] = npy.read_array(file, allow_pickle=False)
            except _UNREADABLE as error:
                problems.append(f"member '{name}' is damaged: {error}")
    return arrays, problems


def _announced(archive: zipfile.ZipFile) -> tuple[Mapping[str, Member], list[str]]:
    infos = archive.infolist()
    if len(infos) > MAX_MEMBERS:
        return {}, [f"the file has {len(infos):,} members; at most {MAX_MEMBERS:,} are read"]
    total_bytes = sum(info.file_size for info in infos)
    if total_bytes > MAX_UNPACKED_BYTES:
        return {}, [f"the file unpacks to {total_bytes:,} bytes; at most {MAX_UNPACKED_BYTES:,} are read"]
    members: dict[str, Member] = {}
    problems = []
    for info in infos:
        name = info.filename.removesuffix(".npy")
        found = _member(archive, info)
        if name in members:
            problems.append(f"member '{name}' appears twice")
        elif isinstance(found, Member):
            members[name] = found
        else:
            problems.append(f"member '{name}' {found}")
    return members, problems


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member | str:
    """The header of one member, or what is wrong with it."""
    if not info.filename.endswith(".npy"):
        return "is no .npy array"
    try:
        with archive.open(info) as file:
            header = _read_header(file)
            payload_bytes = info.file_size - file.tell()
    except _UNREADABLE as error:
        return f"is damaged: {error}"
    if header.dtype.hasobject:
        return "holds pickled Python objects, which are never loaded"
    if min(header.shape, default=0) < 0 or header.bytes != payload_bytes:
        return f"announces shape {header.shape} ({header.bytes:,} bytes) but has {payload_bytes:,} bytes"
    return header


def _read_header(file: IO[bytes]) -> Member:
    version = npy.read_magic(file)
    if version == (1, 0):
        shape, _, dtype = npy.read_array_header_1_0(file, max_header_size=_MAX_HEADER_BYTES)
    elif version == (2, 0):
        shape, _, dtype = npy.read_array_header_2_0(file, max_header_size=_MAX_HEADER_BYTES)
    else:
        raise ValueError(f"npy version {version} is not 1.0 or 2.0")
    return Member(dtype, shape)
