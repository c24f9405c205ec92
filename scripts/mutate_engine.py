# ruff: noqa: E501  (the table of mutations quotes the source)
"""Plant one defect after the other in a copy of the engines and check that the tests catch each of them.

Usage: python scripts/mutate_engine.py [PART-OF-A-NAME]. Prints a table; exit code 1 if a mutation survives, or if one no longer
applies because the text that it replaces is gone.
"""

from __future__ import annotations

import compileall
import os
import py_compile
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TESTS = ("tests/engine/test_semantics.py", "tests/engine/test_engines_agree.py", "tests/test_taskgraph.py")
GRAPHS = 200  # random graphs per agreement test, instead of 1,000
TIMEOUT_S = 60  # a mutation that hangs is caught, too

DES, FAST = "archsim/engine/des.py", "archsim/engine/fast.py"
GRAPH, BUILDER, SPACE = (f"archsim/taskgraph/{module}.py" for module in ("graph", "builder", "space"))
MUTATIONS = (  # file, name, text, replacement
    (DES, "grants in the first phase of a cycle", "GRANT = NORMAL + 1", "GRANT = NORMAL"),
    (DES, "highest index wins ties", "(int(self.env.now), task))", "(int(self.env.now), -task))"),
    (DES, "fifo by index only", "(int(self.env.now), task))", "(0, task))"),
    (DES, "latest ready first", "(int(self.env.now), task))", "(-int(self.env.now), task))"),
    (DES, "no latency", "if not self.latency[task]:", "if True:"),
    (DES, "space waits for the latency", "if self.is_space[edge]:", "if False:"),
    (DES, "data is there at the finish", "if self.is_space[edge]:", "if True:"),
    (DES, "latency one too long", "self.env.timeout(self.latency[task])", "self.env.timeout(self.latency[task] + 1)"),
    (DES, "missing wake-up", "self.wake.pop(task).succeed()", "pass"),
    (DES, "starts at one predecessor less", "if self.missing[task]:\n            return", "if self.missing[task] > 1:\n            return"),
    (DES, "unit free a cycle late", "yield env.timeout(duration[task])", "yield env.timeout(duration[task] + 1)"),
    (DES, "zero-length tasks take a cycle", "if duration[task]:", "yield env.timeout(duration[task] or 1)\n            if False:"),
    (DES, "in-order tasks do not wait", "if missing[task]:\n                event", "if False:\n                event"),
    (DES, "start noted after the duration", "start[task] = int(env.now)\n            if duration[task]:\n                yield env.timeout(duration[task])",
     "if duration[task]:\n                yield env.timeout(duration[task])\n            start[task] = int(env.now)"),
    (DES, "preemptive grant", "if not self.busy[unit] and len(self.queue[unit]) == 1:", "if len(self.queue[unit]) == 1:"),
    (DES, "no grant after a release", "if self.queue[unit]:\n            self.plan_grant(unit)", "pass"),
    (DES, "descending index on in-order units", "by_unit[a:b].tolist()", "by_unit[a:b].tolist()[::-1]"),
    (DES, "last edge forgotten", "first, last = self.pointer[task], self.pointer[task + 1]", "first, last = self.pointer[task], self.pointer[task + 1] - 1"),
    (FAST, "max-plus: task 0 as a predecessor is missed", "p = pred_a[i]\n        if p != -1:", "p = pred_a[i]\n        if p > 0:"),
    (FAST, "max-plus: data is there at the finish", "result[i] = f + latency[i]", "result[i] = f"),
    (FAST, "max-plus: unit not free in time", "free[u] = f\n    return start", "free[u] = s\n    return start"),
    (FAST, "max-plus: space waits for the latency", "p = pred_b[i]\n        if p != -1:\n            s = max(s, result[p] if p >= 0 else finish[-2 - p])",
     "p = pred_b[i]\n        if p != -1:\n            s = max(s, result[p] if p >= 0 else result[-2 - p])"),
    (FAST, "forward edges in the one-pass loop", "return bool(backward and", "return bool(True or"),
    (FAST, "fifo units in the one-pass loop", "in_order = not np.any(graph.fifo) and", "in_order ="),
    (FAST, "task 0 as a predecessor is missed", "p = pred_c[i]\n            if p != -1 and unknown < 0:", "p = pred_c[i]\n            if p > 0 and unknown < 0:"),
    (FAST, "extra edges: last one ignored", "for e in range(pointer[i], pointer[i + 1]):\n                    p = extra[e]\n                    q",
     "for e in range(pointer[i], pointer[i + 1] - 1):\n                    p = extra[e]\n                    q"),
    (FAST, "fifo by index only", "heapq.heappush(queue, (ready, i))", "heapq.heappush(queue, (0, i))"),
    (FAST, "highest index wins ties", "ready, i = heapq.heappop(queue)",
     "ready, i = max(queue, key=lambda e: (-e[0], e[1])); queue.remove((ready, i)); heapq.heapify(queue)"),
    (FAST, "an earlier request does not move the grant", "if len(queue) == 0 or (ready, i) < queue[0]:", "if len(queue) == 0:"),
    (FAST, "stale grants are served", "if len(queue) == 0 or max(free[u], queue[0][0]) != time:", "if len(queue) == 0:"),
    (FAST, "grant ignores that the unit is busy", "(max(free[u], ready), u))", "(ready, u))"),
    (FAST, "next grant at the finish whatever is ready", "heapq.heappush(grants, (max(f, queue[0][0]), u))", "heapq.heappush(grants, (f, u))"),
    (FAST, "fifo unit never becomes busy", "f = time + duration[i]\n        finish[i] = f\n        free[u] = f", "f = time + duration[i]\n        finish[i] = f"),
    (FAST, "waiters of a fifo task forgotten", "w = waiting[i]\n        while w >= 0:\n            todo.append(w)\n            w = next_waiting[w]\n\n",
     "w = waiting[i]\n        if w >= 0:\n            todo.append(w)\n            w = next_waiting[w]\n\n"),
    (FAST, "in-order unit stops after its first task", "if following[i] >= 0:", "if following[i] > n:"),
    (SPACE, "space edges: one release short", "buffer.release[needed[waits] - 1]", "buffer.release[np.maximum(needed[waits] - 2, 0)]"),
    (SPACE, "space edges: a place too many", "total[1:] - buffer.capacity", "total[1:] - buffer.capacity - 1"),
    (SPACE, "space edges: a place too few", "total[1:] - buffer.capacity", "total[1:] - buffer.capacity + 1"),
    (SPACE, "space edges: the other side of equality", 'side="left"', 'side="right"'),
    (SPACE, "space edges: the last release stands for all on a fifo unit", 'graph.units[unit[0]].discipline == "in_order" and', "True and"),
    (SPACE, "space edges: on several units", "np.all(unit == unit[0]) and", "True and"),
    (SPACE, "space edges: releases out of order", "np.all(tasks[1:] >= tasks[:-1])", "True"),
    (SPACE, "space edges: fifo acquires lean on each other", 'if graph.units[unit].discipline == "in_order" and task >= last_task:', "if task >= last_task:"),
    (SPACE, "space edges: overwritten by the next buffer", "free = graph.pred[tasks, slot] == NONE", "free = graph.kind[tasks, slot] != DATA"),
    (BUILDER, "duplicates: the first kind wins", "np.where(data, DATA, graph.kind[same, earlier])", "graph.kind[same, earlier]"),
    (GRAPH, "unrolled: carried edges a copy short", "range(distance, copies)", "range(distance + 1, copies)"),
)  # fmt: skip


def run_tests(folder: Path) -> tuple[bool, str]:
    """Whether the tests pass on the copy in ``folder``, and the first test that failed."""
    environment = dict(
        os.environ, PYTHONPATH=str(folder), PYTHONDONTWRITEBYTECODE="1", ARCHSIM_TEST_GRAPHS=str(GRAPHS),
        PYTEST_DISABLE_PLUGIN_AUTOLOAD="1",
    )  # fmt: skip
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=no", "-p", "no:cacheprovider"]
    try:
        done = subprocess.run(
            [*command, "-k", "not compiled", *TESTS],
            cwd=folder, env=environment, timeout=TIMEOUT_S, capture_output=True, text=True, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return False, "timeout"
    if done.returncode not in {0, 1}:
        return False, "the tests did not even start" if done.returncode != 2 else "interrupted while importing"
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return done.returncode == 0, failed[0].split("::")[1].split(" ")[0] if failed else ""


def try_mutation(folder: Path, file: str, text: str, replacement: str) -> tuple[str, str]:
    """(verdict, detail) of one mutation; the copy is as before afterwards."""
    source = (ROOT / file).read_text()
    if text not in source:
        return "NOT APPLICABLE", "its text is not in the file any more"
    (folder / file).write_text(source.replace(text, replacement, 1))
    try:
        compile((folder / file).read_text(), file, "exec")
        passed, detail = run_tests(folder)
    finally:
        (folder / file).write_text(source)
    return ("SURVIVED", "") if passed else ("caught", detail)


def main(wanted: str = "") -> int:
    """Run all mutations whose name contains ``wanted``; the exit code."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / "archsim", folder / "archsim", ignore=shutil.ignore_patterns("__pycache__"))
        for tests in ("tests/engine", "tests/test_taskgraph.py"):
            source, target = ROOT / tests, folder / tests
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, target)
        # bytecode that is used only as long as the source is what it was made of, whatever the file's date
        compileall.compile_dir(folder, quiet=2, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
        passed, detail = run_tests(folder)
        if not passed:
            print(f"the tests fail without any mutation: {detail}")
            return 1
        verdicts = []
        for file, title, text, replacement in MUTATIONS:
            if wanted in title:
                verdict, detail = try_mutation(folder, file, text, replacement)
                verdicts.append(verdict)
                print(f"{Path(file).name:<13} {title:<62} {verdict:<15} {detail}", flush=True)
    caught = verdicts.count("caught")
    print(f"{caught} of {len(verdicts)} mutations caught in {time.monotonic() - began:.0f} s")
    return 0 if caught == len(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
