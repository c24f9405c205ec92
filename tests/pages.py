"""A page of the documentation as a play: its files are written, its commands and Python run, its outputs compared.

``python tests/pages.py docs/tutorial.md`` plays a page in the current folder in one bash, as a reader would, and needs
nothing but Python's standard library; tests/test_docs.py plays pages within its own process, which is faster.

* ``sh``: commands, one per line. A comment ``# exits with 2`` says how a command ends, if not with 0.
* Any block whose first line is ``# NAME.yaml`` (``.py``, ``.csv``): a file. Other ``python`` blocks are executed.
* ``text`` right behind ``sh`` or ``python``: what these print, stdout before stderr. Lines of ``...`` stand for any
  lines, ``...`` within a line for any text; blanks do not count.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

FENCE = re.compile(r"^(?P<ticks>`{3,})(?P<language>[^\n`]*)\n(?P<body>.*?)^(?P=ticks)[ ]*$", re.DOTALL | re.MULTILINE)
NAMED = re.compile(r"# (\S+\.(?:yaml|py|csv))\n")


@dataclass(frozen=True)
class Said:
    """How a command ended and what it printed."""

    code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Step:
    """One block of a page: a file, commands or Python; ``shown`` is the output that the page prints behind it."""

    kind: str  # file, sh or python
    text: str
    name: str = ""
    shown: str | None = None

    @property
    def lines(self) -> list[str]:
        """The commands of a block; a backslash goes on in the next line."""
        joined = self.text.replace("\\\n", " ")
        return [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]


def expected_code(line: str) -> int:
    """How a command is to end."""
    stated = re.search(r"# exits with (\d+)", line)
    return int(stated[1]) if stated else 0


def steps(text: str) -> list[Step]:
    """The blocks of a page in their order."""
    found: list[Step] = []
    printed_until: int | None = None  # where the last block that prints ends
    for block in FENCE.finditer(text):
        language, body = block["language"].strip(), block["body"]
        named = NAMED.match(body)
        follows = printed_until is not None and not text[printed_until : block.start()].strip()
        printed_until = None
        if named:
            found.append(Step("file", body, name=named[1]))
        elif language in ("sh", "python"):
            found.append(Step(language, body))
            printed_until = block.end()
        elif language == "text" and follows:
            found[-1] = replace(found[-1], shown=body)
    return found


def differs(shown: str, said: str) -> bool:
    """Whether a page shows something else than what is printed."""
    lines = [" ".join(line.split()) for line in shown.splitlines() if line.strip()]
    parts = [r"(?:.*\n)*?" if line == "..." else ".*".join(map(re.escape, line.split("..."))) + "\n" for line in lines]
    printed = "".join(" ".join(line.split()) + "\n" for line in said.splitlines() if line.strip())
    return re.fullmatch("".join(parts), printed) is None


def play(page: str, execute: Callable[[Step], list[Said]]) -> Iterator[str]:
    """Play a page; every disagreement as a message. A page is left at the first command that ends unexpectedly."""
    for step in steps(page):
        said = execute(step)
        for line, one in zip(step.lines, said, strict=False):
            if one.code != expected_code(line) and step.kind == "sh":
                yield f"{line}\nended with {one.code}:\n{one.stdout}{one.stderr}"
                return
        printed = "".join(one.stdout for one in said) + "".join(one.stderr for one in said)
        if step.kind == "python" and any(one.code for one in said):
            yield f"{step.text}\nfailed:\n{printed}"
            return
        if step.shown is not None and differs(step.shown, printed):
            yield f"{step.text}\nprints:\n{printed}\nbut the page shows:\n{step.shown}"


class Bash:
    """One bash for a whole page, so that environments, variables and background jobs last; they end with it."""

    def __init__(self, folder: Path) -> None:
        """``folder`` takes what commands print."""
        self.folder, self.number = folder, 0
        self.shell = subprocess.Popen(
            ["bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )

    def __enter__(self) -> Bash:
        """The running bash."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it with all that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.shell.pid, signal.SIGTERM)
        self.shell.wait()

    def __call__(self, step: Step) -> list[Said]:
        """Execute a block."""
        if step.kind == "file":
            Path(step.name).write_text(step.text, encoding="utf-8")
            return []
        if step.kind == "python":
            (self.folder / "block.py").write_text(step.text, encoding="utf-8")
            return [self._run(f"python {self.folder / 'block.py'}")]
        return [self._run(line) for line in step.lines]

    def _run(self, line: str) -> Said:
        self.number += 1
        out, err = (self.folder / f"{self.number}.{name}" for name in ("out", "err"))
        assert self.shell.stdin is not None and self.shell.stdout is not None
        self.shell.stdin.write(f"{{ {line}\n}} > {out} 2> {err} < /dev/null\necho $?\n")
        self.shell.stdin.flush()
        code = self.shell.stdout.readline()
        return Said(int(code or 1), out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8"))


def main() -> None:
    """Play the pages named on the command line in the current folder."""
    wrong = []
    for name in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as folder, Bash(Path(folder)) as bash:
            wrong += [f"{name}: {text}" for text in play(Path(name).read_text("utf-8"), bash)]
    sys.stderr.write("\n\n".join(wrong) + "\n" * bool(wrong))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
