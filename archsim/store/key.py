"""The key of a question: one hash over everything that its answer depends on, and nothing else."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from functools import cache, partial
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Any

import archsim
from archsim.accelerators import family, family_names
from archsim.accelerators.systolic.dataflows import dataflow, dataflow_names
from archsim.cost.primitives import PRIMITIVES
from archsim.provenance import asked, hashes, versions

if TYPE_CHECKING:
    from archsim.request import Request

PACKAGE = Path(archsim.__file__).resolve().parent
OWN = os.path.join(os.path.dirname(archsim.__file__), "")


def key_of(request: Request, sample: int | None = None) -> str:
    """SHA-256, in hexadecimal, of a run's question; with ``sample``, of that sample alone instead of the request's.

    It covers the chip and the files that it names, the workload and its recorded spikes, the cost table, overrides,
    samples, peers and their settings, whether costs are varied, the source of plug-ins and of everything else that
    registered itself, archsim's own source, and the versions of Python and the packages that figures come through.
    The engine is no part of it: engines agree.
    """
    question = request if sample is None else replace(request, samples=(sample,))
    content = {
        "asked": asked(question), "hashes": hashes(question), "versions": versions(),
        "peers": [[peer.key, peer.name, peer.settings] for peer in question.peers], "vary_costs": question.vary_costs,
        "source": package_source(PACKAGE), "extensions": extensions(question), "loaded": _loaded(question),
    }  # fmt: skip
    return hashlib.sha256(json.dumps(content, default=str).encode()).hexdigest()


def _loaded(request: Request) -> list[str]:
    """Chip and network as they will be executed: they may be changed copies of what their documents say."""
    workload = request.workload
    return [repr(request.architecture.chip), repr(workload.network), workload.activity.content]


@cache
def package_source(folder: Path) -> str:
    """SHA-256 over the names and bytes of all Python files of a package, once per process."""
    return _digest(sorted(folder.rglob("*.py")), folder)


def _digest(files: list[Path], folder: Path) -> str:
    total = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        total.update(f"{file.relative_to(folder).as_posix()}\0{len(content)}\0".encode() + content)
    return total.hexdigest()


def extensions(request: Request) -> list[Any]:
    """What is registered from outside archsim: its fields, and the bytes of the files that its code is in."""
    files = {Path(name).resolve() for name in request.plugins}
    folders = {file.parent for file in files}
    files |= {file for file in _imported_files() if file.parent in folders} if folders else set()
    facts: list[Any] = []
    for registered in (*_registered(), request.architecture.family, request.workload.activity):
        parts = _parts(registered)
        functions = [code for part in parts if (code := _code(part)) is not None and not _is_own(code.co_filename)]
        files |= {Path(code.co_filename) for code in functions} | _homes(registered, parts)
        facts.append([_plain(registered, parts), [_digest_of_code(code) for code in functions if not _has_file(code)]])
    return [facts, sorted(_with_its_package(file) for file in files if file.is_file())]


def _registered() -> Iterator[Any]:
    yield from (family(name) for name in family_names())
    yield from (dataflow(name) for name in dataflow_names())
    yield from (PRIMITIVES[name] for name in sorted(PRIMITIVES))


def _imported_files() -> Iterator[Path]:
    """Files of imported modules; a plug-in may import its neighbours."""
    for module in list(sys.modules.values()):
        named = getattr(module, "__file__", None)
        if isinstance(named, str):
            yield Path(named)


def _parts(registered: Any) -> list[Any]:
    return [getattr(registered, field.name) for field in fields(registered)] if is_dataclass(registered) else []


def _plain(registered: Any, parts: list[Any]) -> list[str]:
    """The kind of a registered object, and its parts that are plain values."""
    values = [repr(part) for part in parts if part is None or isinstance(part, str | int | float)]
    return [type(registered).__qualname__, *values]


def _homes(registered: Any, parts: list[Any]) -> set[Path]:
    """The files outside archsim of the classes that an object has as its type and as parts."""
    classes = [type(registered), *(part for part in parts if isinstance(part, type))]
    named = [getattr(sys.modules.get(one.__module__), "__file__", None) for one in classes]
    return {Path(file) for file in named if isinstance(file, str) and not _is_own(file)}


def _is_own(file: str) -> bool:
    return file.startswith(OWN)


def _code(part: Any) -> CodeType | None:
    function = part.func if isinstance(part, partial) else part
    code = getattr(function, "__code__", None)
    return code if isinstance(code, CodeType) else None


def _has_file(code: CodeType) -> bool:
    """What is typed at a prompt has none."""
    return Path(code.co_filename).is_file()


def _digest_of_code(code: CodeType) -> str:
    constants = [_digest_of_code(one) if isinstance(one, CodeType) else _constant(one) for one in code.co_consts]
    return hashlib.sha256(repr((code.co_code, constants, code.co_names)).encode()).hexdigest()


def _constant(value: object) -> str:
    """As text that is the same in every process: sets have no order of their own."""
    return repr(sorted(map(repr, value))) if isinstance(value, frozenset) else repr(value)


def _with_its_package(file: Path) -> str:
    """SHA-256 of a file, or of all Python files of the package that it is part of."""
    if (file.parent / "__init__.py").is_file():
        return _digest(sorted(file.parent.rglob("*.py")), file.parent)
    return _digest([file], file.parent)
