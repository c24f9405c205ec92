"""Overrides from the command line."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.config import Document, Strict, apply_overrides, parse_document, validate
from archsim.errors import ConfigError

TEXT = """
array:
  rows: 4
  cols: 8
layers:
  - name: a
    k: 3
  - name: b
activity: {density: {conv.1: 0.5, conv: 0.25}}
empty:
"""


def document() -> Document:
    return parse_document(TEXT, "my.yaml")


def refused(*assignments: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        apply_overrides(document(), assignments)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("assignment", "path", "value"),
    [
        ("array.rows=32", ["array", "rows"], 32),
        (" array.rows = 32 ", ["array", "rows"], 32),
        ("layers.1.name=x=y", ["layers", 1, "name"], "x=y"),
        ("layers.0.k=[1, 2]", ["layers", 0, "k"], [1, 2]),
        ("layers.0={name: z}", ["layers", 0], {"name": "z"}),
        ("sparsity=skip: union", ["sparsity"], {"skip": "union"}),
        ("array.rows=144 KiB", ["array", "rows"], "144 KiB"),
        ("array.rows=1e-12", ["array", "rows"], 1e-12),
        ("array.rows=null", ["array", "rows"], None),
        ("array.rows=''", ["array", "rows"], ""),
        ("new.deep.key=on", ["new", "deep", "key"], "on"),
        ("empty.key=1", ["empty", "key"], 1),
        ("activity.density.conv.1=0.75", ["activity", "density", "conv.1"], 0.75),
        ("activity.density.conv=0.75", ["activity", "density", "conv"], 0.75),
    ],
)
def test_sets_the_value(assignment: str, path: list[Any], value: Any) -> None:
    before = document()
    untouched = copy.deepcopy(before.data)
    found = apply_overrides(before, [assignment]).data
    for step in path:
        found = found[step]
    assert found == value
    assert type(found) is type(value)
    assert before.data == untouched


def test_the_last_one_wins_and_all_others_stay() -> None:
    after = apply_overrides(document(), ["array.rows=1", "array.rows=2"])
    assert after.data == {**document().data, "array": {"rows": 2, "cols": 8}}


def test_no_overrides_change_nothing() -> None:
    before = document()
    assert apply_overrides(before, []) is before


def test_an_alias_is_overridden_in_one_place_only() -> None:
    twice = parse_document("layers: [&a {k: 1}, *a]", "my.yaml")
    assert apply_overrides(twice, ["layers.0.k=2"]).data == {"layers": [{"k": 2}, {"k": 1}]}


def test_all_malformed_ones_come_at_once() -> None:
    assert refused(
        "array.rows", "=3", "a..b=1", "array.rows=", "array.rows=[1", "array.cols=2", "a\udc80=1", "a b=1"
    ) == [
        "--set: not of the form KEY=VALUE, such as array.rows=32 (got 'array.rows')",
        "--set: not of the form KEY=VALUE, such as array.rows=32 (got '=3')",
        "--set: not of the form KEY=VALUE, such as array.rows=32 (got 'a..b=1')",
        "--set: array.rows: has no value; write null for nothing",
        refused("array.rows=[1")[0],
        "--set: not of the form KEY=VALUE, such as array.rows=32 (got 'a\\udc80=1')",
        "--set: not of the form KEY=VALUE, such as array.rows=32 (got 'a b=1')",
    ]
    assert refused("array.rows=[1")[0].startswith("--set: array.rows: not YAML: ")


def test_what_does_not_fit_the_data() -> None:
    assert refused("layers.2.k=1", "layers.-1.k=1", "layers.a.k=1", "layers.²=1", "array.rows.x.y=1") == [
        "--set: layers.2: no such list item (allowed: 0 to 1)",
        "--set: layers.-1: no such list item (allowed: 0 to 1)",
        "--set: layers.a: no such list item (allowed: 0 to 1)",
        "--set: layers.²: no such list item (allowed: 0 to 1)",
        "--set: array.rows: holds a single value, so x.y cannot be set below it (got 4)",
    ]


def test_nothing_can_be_set_in_a_file_that_is_a_single_value() -> None:
    with pytest.raises(ConfigError, match="holds a single value"):
        apply_overrides(parse_document("just text", "my.yaml"), ["a=1"])


class Array(Strict):
    rows: int
    cols: int


class Chip(Strict):
    array: Array


def test_problems_at_overridden_keys_blame_the_command_line() -> None:
    chip = parse_document("array:\n  rows: 4\n  cols: x\n", "chip.yaml")
    with pytest.raises(ConfigError) as caught:
        validate(Chip, apply_overrides(chip, ["array.rows=y", "aray.cols=3"]))
    assert [str(problem) for problem in caught.value.problems] == [
        "chip.yaml:3: array.cols: must be a whole number (got 'x')",
        "--set: array.rows: must be a whole number (got 'y')",
        "--set: aray: unknown key (allowed: array; did you mean 'array'?)",
    ]
    assert all(problem.line is None for problem in caught.value.problems if problem.file == "--set")


def test_overriding_a_whole_mapping_drops_the_old_lines() -> None:
    chip = parse_document("array:\n  rows: 4\n  cols: 3\n", "chip.yaml")
    after = apply_overrides(chip, ["array={rows: 1}"])
    assert after.where(("array", "cols")) == ("--set", None)
    assert after.where(()) == ("chip.yaml", 1)


@given(
    st.lists(
        st.text(max_size=30) | st.from_regex(r"(array|layers)(\.[a-z0-9]{1,4}){0,3}=[\[{a-z0-9:, \]}]*"), max_size=4
    )
)
def test_any_text_is_applied_or_refused(assignments: list[str]) -> None:
    try:
        after = apply_overrides(document(), assignments)
    except ConfigError as error:
        assert str(error).encode("utf-8")
    else:
        assert isinstance(after.data, dict)
