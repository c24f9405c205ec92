"""From a preset's name or a file to what is built of it, with the problems of file, overrides and building together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from archsim.config.document import Document, load_document
from archsim.config.kinds import refuse_swapped
from archsim.config.overrides import malformed, overridden
from archsim.config.presets import Kind, find
from archsim.errors import ArchsimError, ConfigError

T = TypeVar("T")


def build_from(
    kind: Kind, name_or_path: str | Path, assignments: Sequence[str], build: Callable[[Document, Path], T]
) -> T:
    """What ``build`` makes of the document, overrides applied, and of its path.

    An override that cannot be applied does not hide what is wrong with the rest; of a file of another kind only that is
    said. ArchsimError with all problems.
    """
    try:
        path, shown = find(kind, name_or_path)
        document = load_document(path, shown, doubled_keys=True)
        refuse_swapped(document, kind)
    except ConfigError as error:
        raise ConfigError([*error.problems, *malformed(assignments)]) from None
    document, malformed_overrides = overridden(document, assignments)
    problems = [*document.doubled, *malformed_overrides]
    if not problems:
        return build(document, path)
    try:
        build(document, path)
    except ArchsimError as error:
        problems += error.problems
    raise ConfigError(problems)
