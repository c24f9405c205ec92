"""What came out of a sweep, in plain sentences and a few figures."""

from __future__ import annotations

from collections.abc import Iterator

from archsim.report.html.parts import name
from archsim.report.html.sweep.effects import CHIP
from archsim.report.html.sweep.study import Group, Study
from archsim.report.html.sweep.values import short
from archsim.report.style import shortened
from archsim.report.sweep_notes import notes
from archsim.report.sweep_units import named, shown
from archsim.report.units import significant
from archsim.sweeps.front import LARGER_IS_BETTER
from archsim.sweeps.table import BROKEN, FAILED, OK, Row

MOST_NETWORKS = 12
LETTERS_OF_A_POINT = 160
SAME = 1.0005  # closer than that to the best is as good


def verdict(study: Study) -> Iterator[str]:
    """How many points there are and how they ended; then, of each network, its best points and what they cost."""
    met, broken, failed = (study.count(status) for status in (OK, BROKEN, FAILED))
    parts = [f"{met:,} executed and within the constraints" if broken else f"{met:,} executed"]
    parts += [f"{broken:,} {'breaks' if broken == 1 else 'break'} a constraint"] if broken else []
    parts += [f"{failed:,} failed" if failed else "none failed"]
    points = "1 point" if len(study.sweep.rows) == 1 else f"{len(study.sweep.rows):,} points"
    yield f"{points}: {', '.join(parts)}."
    for group in study.groups[:MOST_NETWORKS]:
        sentences = list(_of_network(study, group))
        if study.several:
            yield f"{name(group.workload).text}: {' '.join(sentences)}"
        else:
            yield from sentences
    left = len(study.groups) - MOST_NETWORKS
    if left > 0:
        yield f"{left:,} more networks are in the table below."
    yield from notes(study.sweep)


def _of_network(study: Study, group: Group) -> Iterator[str]:
    if group.front is None:
        yield no_front(study, group)
        return
    front = group.front
    what = " × ".join(map(named, front.objectives))
    many = f"{len(front.rows):,} of {len(front.candidates):,} points {'is' if len(front.rows) == 1 else 'are'}"
    yield f"{many} on the front of {what}."
    said: dict[int, tuple[list[str], Row]] = {}
    for objective in front.objectives:
        row = group.best(objective)
        assert row is not None
        said.setdefault(id(row), ([], row))[0].append(objective)
    for objectives, row in said.values():
        yield _best(study, group, objectives, row)
    first = next(iter(group.influences.items()), None)
    if first is not None:
        key, found = first
        top = max(found.values(), key=lambda one: one.share or 0.0)
        if top.share and not top.is_clear:
            yield f"{named(top.metric).capitalize()} hangs clearly on no single key."
        elif top.share:
            what = "the chip" if key == CHIP else name(key).text
            yield f"{named(top.metric).capitalize()} hangs most on {what} ({100 * top.share:.0f} % of its spread)."


def no_front(study: Study, group: Group) -> str:
    """Why there is none."""
    if not group.executed:
        return "No point was executed, so there is no front."
    if len(group.broken(())) == len(group.executed):
        return "No point meets all constraints, so there is no front."
    return f"No point within the constraints has {', '.join(map(named, study.objectives))}, so there is no front."


def _best(study: Study, group: Group, objectives: list[str], row: Row) -> str:
    """``Least energy: 38.1 µJ at d4787a00c8 (array.rows 22), with 1.31 × the least area.``"""
    figures = " and ".join(f"{extreme(metric)} {named(metric)}" for metric in objectives)
    values = " and ".join(shown(metric, row[metric]) for metric in objectives)
    costs = []
    for metric in study.objectives:
        chosen = group.best(metric)
        if metric in objectives or chosen is None or not chosen[metric]:
            continue
        times = float(row[metric]) / float(chosen[metric])
        better_than = 1 / SAME < times < SAME
        costs.append(f"as good as the best in {named(metric)}" if better_than
                     else f"{significant(times)} × the {extreme(metric)} {named(metric)}")  # fmt: skip
    cost = f", with {' and '.join(costs)}" if costs else ""
    return f"{figures[0].upper()}{figures[1:]}: {values} at {point(study, row)}{cost}."


def point(study: Study, row: Row) -> str:
    """The id of a point with what tells it apart."""
    parts = [name(row["arch"]).text] if len(study.chips) > 1 else []
    parts += [f"{name(key).text} {name(short(row[key])).text}" for key in study.keys]
    said = f" ({shortened(', '.join(parts), LETTERS_OF_A_POINT)})" if parts else ""
    return f"{name(str(row['id'])).text}{said}"


def extreme(metric: str) -> str:
    """What the best of a number is called."""
    return "largest" if metric in LARGER_IS_BETTER else "least"


def figures(study: Study) -> Iterator[tuple[str, str, str]]:
    """Name, value and remark of each figure of the headline."""
    everything = len(study.sweep.rows)
    yield "Points", f"{everything:,}", "designs × prices × seeds, as the sweep's file asks"
    met = study.count(OK)
    remark = f"{met:,} of them within the constraints" if study.count(BROKEN) else ""
    yield "Executed", f"{everything - study.count(FAILED):,}", remark
    yield "Failed", f"{study.count(FAILED):,}", ""
    if study.several:
        yield "Networks", f"{len(study.groups):,}", "a front of its own for each"
        return
    for group in study.groups:
        if group.front is None:
            continue
        yield "On the front", f"{len(group.front.rows):,}", " × ".join(map(named, study.objectives))
        for metric in study.objectives:
            row = group.best(metric)
            if row is not None:
                yield f"{extreme(metric).capitalize()} {named(metric)}", shown(metric, row[metric]), point(study, row)
