"""The page of a sweep: what came out, the fronts, which key moves what, the points, and what was asked."""

from __future__ import annotations

from collections.abc import Iterator

from archsim.report.html.parts import Cell, Folded, Part, Prose, Section, Table, name
from archsim.report.html.rendering import Page, render
from archsim.report.html.sweep import tables
from archsim.report.html.sweep.influence_parts import influence_parts
from archsim.report.html.sweep.looks import MOST_MARKS
from archsim.report.html.sweep.parallel import MOST_LINES, parallel
from archsim.report.html.sweep.progress import progress
from archsim.report.html.sweep.scatter import scatter
from archsim.report.html.sweep.study import Group, Study
from archsim.report.html.sweep.verdict import figures, no_front, verdict
from archsim.report.style import shortened
from archsim.report.sweep_units import named

MOST_BYTES = 950_000
SIZES = (1.0, 0.5, 0.2, 0.05)  # shares of marks, rows and letters, until the page is small enough
MOST_NETWORKS = 6  # those that have sections of their own
FRONT_CELLS, POINT_CELLS, MEAN_CELLS, SPEC_LETTERS = 4_000, 3_000, 1_500, 60_000
NO_SPEC = "The sweep's own file is not known: this folder was written without it, or the table came from memory."


def sweep_page(study: Study) -> str:
    """The whole HTML text, under 1 MB; names from files are text in it, whatever letters they have."""
    text = ""
    for size in SIZES:
        text = render(_page(study, size))
        if len(text.encode(errors="replace")) <= MOST_BYTES:
            break
    return text


def _page(study: Study, size: float) -> Page:
    networks = [group.workload for group in study.groups]
    facts = [f"{_many(study.chips, 'chip')} on {_many(networks, 'network')}",
             f"front of {' × '.join(map(named, study.objectives))}"]  # fmt: skip
    return Page(
        title=f"{study.sweep.name}: archsim sweep", heading=(f"Sweep {study.sweep.name}",), facts=tuple(facts),
        verdict=tuple(verdict(study)), figures=tuple(figures(study)), sections=tuple(_sections(study, size)),
    )  # fmt: skip


def _many(names: tuple[str, ...] | list[str], what: str) -> str:
    return name(names[0]).text if len(names) == 1 else f"{len(names):,} {what}s"


def _sections(study: Study, size: float) -> Iterator[Section]:
    overview = tables.networks(study)
    if overview is not None:
        yield Section("networks-section", "Networks", (overview,))
    drawn = study.groups[: max(round(MOST_NETWORKS * size), 1)]
    for at, group in enumerate(drawn, start=1):
        of = f": {name(group.workload).text}" if study.several else ""
        yield Section(f"front-{at}", f"The front{of}", tuple(_front(study, group, at, size / len(drawn))))
        parts = tuple(influence_parts(study, group, f"moves-{at}", int(MEAN_CELLS * size / len(drawn))))
        yield Section(f"moves-{at}", f"Which key moves which number{of}", parts)
    left = len(study.groups) - len(drawn)
    if left > 0:
        text = f"{left:,} more networks are not drawn; their points are in results.csv, and in a sweep of their own."
        yield Section("more-networks", "More networks", (Prose((text,)),))
    yield Section("points", "Every point", tuple(_points(study, size)))
    failed = tables.failures(study)
    if failed is not None:
        yield Section("failed", "What failed, and why", (failed,))
    broken = tables.constraints(study)
    if broken is not None:
        yield Section("constraints-section", "Constraints", (broken,))
    yield Section("asked", "What was asked", tuple(_asked(study, size)))
    yield Section("identity", "What computed this", tuple(_identity(study)))


def _front(study: Study, group: Group, at: int, size: float) -> Iterator[Part]:
    pairs = max(len(study.objectives) * (len(study.objectives) - 1) // 2, 1)
    points = scatter(study, group, f"scatter-{at}", max(int(MOST_MARKS * size / pairs / 3), 50))
    if points is not None:
        yield points
    if group.front is None:
        yield Prose((no_front(study, group),))
        return
    yield tables.best(study, group, f"best-{at}")
    lines = parallel(study, group, f"parallel-{at}", max(int(MOST_LINES * size), 30))
    if lines is not None:
        yield lines
    yield tables.front(study, group, f"front-points-{at}", int(FRONT_CELLS * size))
    steps = progress(study, group, f"search-{at}", max(int(MOST_MARKS * size / len(study.objectives) / 3), 50))
    if steps is not None:
        yield steps


def _points(study: Study, size: float) -> Iterator[Part]:
    found = tables.ranges(study)
    if found.rows:
        yield found
    if study.sweep.rows:
        yield tables.everything(study, int(POINT_CELLS * size))
    else:
        yield Prose(("The table has no points.",))


def _asked(study: Study, size: float) -> Iterator[Part]:
    if study.sweep.keys:
        yield tables.varied(study)
    yield Prose((f"Chips: {_names(study.chips)}.", f"Networks: {_names([one.workload for one in study.groups])}."))
    if study.spec is None:
        yield Prose((NO_SPEC,))
        return
    most = int(SPEC_LETTERS * size)
    left = len(study.spec) - most
    text = study.spec if left <= 0 else f"{study.spec[:most]}\n# {left:,} more letters are left out"
    yield Folded("The sweep's file as given", source=text)


def _names(names: tuple[str, ...] | list[str]) -> str:
    return shortened(", ".join(name(one).text for one in names), 2_000)


def _identity(study: Study) -> Iterator[Part]:
    made = study.made_with
    if made is None:
        yield Prose(("A table from memory: it does not say what computed it.",))
        return
    rows = [(Cell(f"version of {what}"), Cell(text)) for what, text in made["versions"].items()]
    rows += [(Cell(f"hash of {what}"), Cell(text)) for what, text in made["hashes"].items()]
    cells = tuple((name(what.text), name(text.text)) for what, text in rows)
    yield Table("versions", "Versions and hashes (SHA-256)", ("what", "which"), cells, texts=2, sortable=False)
