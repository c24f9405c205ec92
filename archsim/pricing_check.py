"""Whether the memories of a chip have a price, before any network is executed; said in the keys of the chip's file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from archsim.accelerators import Architecture
from archsim.config import Document
from archsim.cost.component import Component
from archsim.cost.primitives.sram import nodes_around
from archsim.cost.table import CostTable
from archsim.errors import ArchsimError, Problem

NODE = "node_nm"
NODE_KEY = "node"


def unpriceable(architecture: Architecture, table: CostTable) -> list[Problem]:
    """What the cost table cannot price of the parts that the chip has whatever the network is; each problem once."""
    problems: list[Problem] = []
    if architecture.family.memories is None:
        return problems
    for component, keys in architecture.family.memories(architecture.chip):
        try:
            table.cost_of(component, architecture.chip.node_nm)
        except ArchsimError as error:
            for problem in error.problems:
                told = _in_the_users_words(problem, component, keys, architecture, table)
                problems += [told] if told not in problems else []
    return problems


def _in_the_users_words(
    problem: Problem, component: Component, keys: Mapping[str, str], architecture: Architecture, table: CostTable
) -> Problem:
    document, node_nm = architecture.document, architecture.chip.node_nm
    if problem.key == NODE:
        written = _written(document, (NODE_KEY,), node_nm)
        return document.problem((NODE_KEY,), problem.message, value=written, allowed=problem.allowed)
    attribute = (problem.key or "").rpartition(".")[2]
    if problem.file is not None or attribute not in keys:
        return problem
    path = tuple(keys[attribute].split("."))
    message, allowed = problem.message, problem.allowed
    if component.primitive == "sram" and attribute == "bytes":
        message, allowed = _bank_size(component, keys, table, node_nm)
    value = _written(document, path, component.attributes[attribute])
    return document.problem(path, message, value=value, allowed=allowed)


def _written(document: Document, path: tuple[str, ...], otherwise: Any) -> Any:
    """The value as the file has it; ``otherwise`` where it stands at its default."""
    value = document.data
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return otherwise if value is None else value


def _bank_size(component: Component, keys: Mapping[str, str], table: CostTable, node_nm: float) -> tuple[str, str]:
    """What is wrong with a size, and the sizes that may stand there: the table's bounds times the number of banks."""
    size, banks = int(component.attributes["bytes"]), int(component.attributes.get("banks", 1))
    low, high = bank_bounds(table, str(component.attributes["cell"]), node_nm)
    fault = "more" if size / banks > high else "less"
    message = f"{readable_bytes(size / banks)} per bank are {fault} than the SRAM table has"
    allowed = f"{readable_bytes(low * banks)} to {readable_bytes(high * banks)} in {banks} bank{'s' * (banks > 1)}"
    others = math.ceil(size / high) if size / banks > high else size // low
    hint = f", or {keys['banks']}={others}" if others and "banks" in keys else ""
    return message, f"{allowed}{hint}, at {node_nm:g} nm"


def bank_bounds(table: CostTable, cell: str, node_nm: float) -> tuple[int, int]:
    """The smallest and the largest bank, in bytes, that the SRAM table prices at a node."""
    grids = [table.sram.sram[node, cell]["read_pj"] for node in nodes_around(table.sram, cell, node_nm)]
    sizes = [size for size, _ in set.intersection(*(set(grid) for grid in grids))]
    return int(min(sizes)), int(max(sizes))


def readable_bytes(size: float) -> str:
    """``32 MiB``, ``144 KiB``, ``100 B``: in the largest unit in which it is at least 1."""
    for factor, unit in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if size >= factor:
            return f"{size / factor:.4g} {unit}"
    return f"{size:.4g} B"
