"""A progress bar on the terminal, and nothing anywhere else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager


@contextmanager
def progress(what: str = "executing samples") -> Iterator[Callable[[int, int], None] | None]:
    """Yield ``report(done, total)``, called ``what`` on stderr; None where that is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    with ExitStack() as shown:
        display: list[Callable[[int], None]] = []

        def report(done: int, total: int) -> None:
            if not display:
                display.append(_spinner(shown) if total == 1 else _bar(shown, what, total))
            display[0](done)

        yield report


def _spinner(shown: ExitStack) -> Callable[[int], None]:
    from rich.console import Console

    shown.enter_context(Console(stderr=True).status("executing"))
    return lambda done: None


def _bar(shown: ExitStack, what: str, total: int) -> Callable[[int], None]:
    from rich.console import Console
    from rich.progress import Progress

    bar = shown.enter_context(Progress(console=Console(stderr=True), transient=True))
    task = bar.add_task(what, total=total)
    return lambda done: bar.update(task, completed=done)
