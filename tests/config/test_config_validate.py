"""From documents to models: every kind of refusal in the user's words."""

from __future__ import annotations

import enum
import subprocess
import sys
from typing import Annotated, Any, Literal

import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BeforeValidator, Field, field_validator, model_validator

from archsim.config import Bytes, Strict, parse_document, validate
from archsim.errors import ConfigError, MisfitError, Problem, WorkloadError

Positive = Annotated[int, Field(ge=1)]
Pair = Positive | tuple[Positive, Positive]


class Rounding(enum.Enum):
    FLOOR = "floor"
    NEAREST = "nearest"


class Array(Strict):
    rows: Positive
    cols: int = Field(8, ge=1, le=16)
    dataflow: Literal["output_stationary", "weight_stationary"] = "output_stationary"


class Conv(Strict):
    type: Literal["conv2d"]
    name: str = Field(min_length=1)
    kernel: Pair = 3
    padding: Literal["same"] | int = 0


class Pool(Strict):
    type: Literal["avgpool2d", "maxpool2d"]
    kernel: Pair


class Stated(Strict):
    density: float | dict[str, float] = Field(ge=0)
    seed: int = 0


class Recorded(Strict):
    trace: str
    sample: int = 0


class Network(Strict):
    array: Array | None = None
    layers: tuple[Annotated[Conv | Pool, Field(discriminator="type")], ...] = ()
    activity: Stated | Recorded | None = None
    leak: float = Field(0.5, gt=0, le=1)
    flag: bool = False
    rounding: Rounding = Rounding.FLOOR
    tags: tuple[str, ...] = Field((), max_length=2)
    limits: dict[str, Bytes] = Field(default_factory=dict)
    code: str = Field("a1", pattern="^[a-z][0-9]$")
    pair: tuple[int, str] = (1, "a")


def problems(text: str, model: type[pydantic.BaseModel] = Network) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        validate(model, parse_document(text, "my.yaml"))
    return [str(problem).removeprefix("my.yaml:") for problem in caught.value.problems]


def test_lists_mappings_and_whole_numbers_are_taken() -> None:
    network = validate(
        Network,
        parse_document(
            "layers: [{type: conv2d, name: a, kernel: [3, 5]}, {type: maxpool2d, kernel: 2}]\n"
            "leak: 1\nrounding: nearest\ntags: [a]\nlimits: {x: 2 KiB}\nactivity: {trace: t.npz}\npair: [2, b]\n",
            "my.yaml",
        ),
    )
    assert network.layers == (Conv(type="conv2d", name="a", kernel=(3, 5)), Pool(type="maxpool2d", kernel=2))
    assert (network.leak, network.rounding, network.tags) == (1.0, Rounding.NEAREST, ("a",))
    assert type(network.leak) is float
    assert network.limits == {"x": 2048}
    assert network.activity == Recorded(trace="t.npz")
    assert network.pair == (2, "b")


def test_models_are_frozen() -> None:
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        Array(rows=1).rows = 2  # type: ignore[misc]


def test_the_examples_of_the_documentation() -> None:
    text = "\n\n\n\n\narray:\n  rwos: 3\n  rows: -3\n"
    assert problems(text) == [
        "7: array.rwos: unknown key (allowed: cols, dataflow, rows; did you mean 'rows'?)",
        "8: array.rows: must be a whole number of at least 1 (got -3)",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("array: {}", "array.rows: is missing; must be a whole number of at least 1"),
        ("array: {rows: '3'}", "array.rows: must be a whole number of at least 1 (got '3')"),
        ("array: {rows: true}", "array.rows: must be a whole number of at least 1 (got True)"),
        ("array: {rows: 3.0}", "array.rows: must be a whole number of at least 1 (got 3.0)"),
        ("array: {rows: }", "array.rows: has no value; must be a whole number of at least 1"),
        ("array: {rows: {a: 1}}", "array.rows: must be a whole number of at least 1, not a mapping"),
        ("array: {rows: 1, cols: 17}", "array.cols: must be a whole number from 1 to 16 (got 17)"),
        ("array: [1]", "array: must be a mapping or null (got [1])"),
        (
            "array: {rows: 1, dataflow: output_stationry}",
            "array.dataflow: unknown value (got 'output_stationry'; allowed: output_stationary, weight_stationary; "
            "did you mean 'output_stationary'?)",
        ),
        ("leak: 0", "leak: must be a number above 0 and at most 1 (got 0)"),
        ("leak: .nan", "leak: must be a finite number (got nan)"),
        ("leak: 1e999", "leak: must be a finite number (got inf)"),
        ("leak: half", "leak: must be a number above 0 and at most 1 (got 'half')"),
        ("flag: 1", "flag: must be true or false (got 1)"),
        ("flag: yes", "flag: must be true or false (got 'yes')"),
        ("rounding: flor", "rounding: unknown value (got 'flor'; allowed: floor, nearest; did you mean 'floor'?)"),
        ("tags: a", "tags: must be a list of at most 2 items (got 'a')"),
        ("tags: [a, b, c]", "tags: must be a list of at most 2 items (got ['a', 'b', 'c'])"),
        ("tags: [a, 1]", "tags.1: must be text (got 1)"),
        (
            "limits: {a: 5 KB}",
            "limits.a: unknown unit (got '5 KB'; allowed: B, kB, KiB, MB, MiB, GB, GiB; did you mean 'KiB'?)",
        ),
        ("code: a", "code: must be text of the form ^[a-z][0-9]$ (got 'a')"),
        ("pair: [1]", "pair: must be a list of 2 values (got [1])"),
        ("pair: [1, 2]", "pair.1: must be text (got 2)"),
        ("[1, 2]", "must be a mapping (got [1, 2])"),
        ("just text", "must be a mapping (got 'just text')"),
    ],
)
def test_one_problem(text: str, expected: str) -> None:
    assert problems(text) == [f"1: {expected}"]


EACH = "a whole number of at least 1 or a list of 2 values, each a whole number of at least 1"


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        ("{type: conv2d, name: a, kernel: 0}", "kernel: must be a whole number of at least 1 (got 0)"),
        ("{type: conv2d, name: a, kernel: 3x3}", f"kernel: must be {EACH} (got '3x3')"),
        ("{type: conv2d, name: a, kernel: true}", f"kernel: must be {EACH} (got True)"),
        ("{type: conv2d, name: a, kernel: [3, 0]}", "kernel.1: must be a whole number of at least 1 (got 0)"),
        (
            "{type: conv2d, name: a, kernel: [3]}",
            "kernel: must be a list of 2 values, each a whole number of at least 1 (got [3])",
        ),
        (
            "{type: conv2d, name: a, padding: sane}",
            "padding: must be 'same' or a whole number (got 'sane'; did you mean 'same'?)",
        ),
        ("{type: conv2d, name: ''}", "name: must be text of at least 1 character (got '')"),
        (
            "{type: avgpool2d, kernel: 2, nme: x}",
            "nme: unknown key (allowed: kernel, type)",
        ),
        (
            "{type: conv2d, name: a, kernal: 3}",
            "kernal: unknown key (allowed: kernel, name, padding, type; did you mean 'kernel'?)",
        ),
        (
            "{type: conv, name: a}",
            "type: unknown value (got 'conv'; allowed: conv2d, avgpool2d, maxpool2d; did you mean 'conv2d'?)",
        ),
        ("{name: a}", "type: is missing (allowed: conv2d, avgpool2d, maxpool2d)"),
        ("{type: [1]}", "type: unknown value (got [1]; allowed: conv2d, avgpool2d, maxpool2d)"),
        ("{type: }", "type: has no value (allowed: conv2d, avgpool2d, maxpool2d)"),
        (
            "{type: conv2d, conv2d: {kernel: 1}, name: a}",
            "conv2d: unknown key (allowed: kernel, name, padding, type)",
        ),
    ],
)
def test_unions_speak_of_the_users_keys(layer: str, expected: str) -> None:
    text = f"layers:\n  - {{type: conv2d, name: ok}}\n  - {layer}\n"
    assert problems(text) == [f"3: layers.1.{expected}"]


def test_items_that_are_no_mapping() -> None:
    assert problems("layers: [3, null]") == [
        "1: layers.0: must be a mapping (got 3)",
        "1: layers.1: has no value; must be a mapping",
    ]


@pytest.mark.parametrize(
    ("activity", "expected"),
    [
        ("{density: -1}", ["density: must be a number of at least 0 or a mapping (got -1)"]),
        ("{density: {a: 1}}", ["density: must be a number of at least 0 or a mapping, not a mapping"]),
        ("{density: {a: x}}", ["density.a: must be a number (got 'x')"]),
        ("{density: 0.5, sed: 1}", ["sed: unknown key (allowed: density, seed; did you mean 'seed'?)"]),
        ("{trace: 3}", ["trace: must be text (got 3)"]),
        (
            "{tarce: x}",
            ["trace: is missing; must be text", "tarce: unknown key (allowed: sample, trace; did you mean 'trace'?)"],
        ),
    ],
)
def test_plain_unions_report_the_member_that_was_meant(activity: str, expected: list[str]) -> None:
    assert [message.removeprefix("1: activity.") for message in problems(f"activity: {activity}")] == expected


def test_all_problems_in_file_order() -> None:
    text = (
        "leak: 2\n"
        "flag: maybe\n"
        "layers:\n"
        "  - type: conv2d\n"
        "    kernel: 0\n"
        "  - type: pool\n"
        "array:\n"
        "  cols: 0\n"
        "  rows: 0\n"
        "unknown: 1\n"
    )
    assert [message.split(": ")[:2] for message in problems(text)] == [
        ["1", "leak"],
        ["2", "flag"],
        ["4", "layers.0.name"],
        ["5", "layers.0.kernel"],
        ["6", "layers.1.type"],
        ["8", "array.cols"],
        ["9", "array.rows"],
        ["10", "unknown"],
    ]


class Checked(Strict):
    width: int
    height: int

    @field_validator("width")
    @classmethod
    def even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("must be even")
        return value

    @model_validator(mode="after")
    def consistent(self) -> Checked:
        if self.width > self.height:
            raise WorkloadError(
                [Problem("wider than high", key="width", value=self.width), Problem("lower than wide", key="height")]
            )
        if self.height == 100:
            raise MisfitError("the buffer", demand=100, capacity=10, unit="rows", levers=["height=10"])
        if self.height == 99:
            raise ConfigError(Problem("broken", "other.csv", 5))
        return self


def fast(value: Any) -> Any:
    if value != "fast":
        raise ValueError("must be fast")
    return value


class Custom(Strict):
    mode: Annotated[str, BeforeValidator(fast)]
    count: Literal[1, 2]


class Holder(Strict):
    items: tuple[Checked, ...]
    rest: int = 0


def test_validators_keep_their_own_text_and_all_are_collected() -> None:
    text = "items:\n  - width: 4\n    height: 3\n  - {width: 3, height: 9}\n  - {width: 2, height: 100}\nrest: x\n"
    assert problems(text, Holder) == [
        "2: items.0.width: wider than high (got 4)",
        "3: items.0.height: lower than wide",
        "4: items.1.width: must be even (got 3)",
        "5: items.2: the buffer: demands 100 rows, there are 10 rows; would fit with height=10",
        "6: rest: must be a whole number (got 'x')",
    ]


def test_a_problem_that_names_a_file_stays_as_it_is() -> None:
    assert problems("items: [{width: 2, height: 99}]", Holder) == ["other.csv:5: broken"]


def test_validates_a_part_of_a_file() -> None:
    document = parse_document("a: 1\nsystolic:\n  - rows: 0\n", "my.yaml")
    with pytest.raises(ConfigError) as caught:
        validate(Array, document, at=("systolic", 0))
    assert str(caught.value) == "my.yaml:3: systolic.0.rows: must be a whole number of at least 1 (got 0)"
    with pytest.raises(ConfigError, match=r"^my.yaml:2: systolic.1: is missing$"):
        validate(Array, document, at=("systolic", 1))


def test_any_schema_by_alias_and_optional_unions() -> None:
    class Aliased(Strict):
        source: str = Field(alias="from")
        value: Annotated[int | str | None, Field(description="either")] = None
        nested: list[dict[str, list[Pair]]] = Field(default_factory=list)

    assert problems("form: a\n", Aliased) == [
        "1: from: is missing; must be text",
        "1: form: unknown key (allowed: from, nested, value; did you mean 'from'?)",
    ]
    assert problems("from: a\nvalue: [1]\n", Aliased) == ["2: value: must be a whole number or text or null (got [1])"]
    assert problems("from: a\nnested:\n  - k: [3, [1, 2],\n      [1, x]]\n", Aliased) == [
        "4: nested.0.k.2.1: must be a whole number of at least 1 (got 'x')"
    ]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["conv2d", "same"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "kernel", "name", "density", "trace", "rows", "int", "x"]), inner)
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from([*Network.model_fields, "y"]), VALUES))
def test_any_data_is_valid_or_refused_with_keys_that_exist(data: dict[str, Any]) -> None:
    document = parse_document("name: x", "my.yaml")
    document.data.clear()
    document.data.update(data)
    try:
        validate(Network, document)
    except ConfigError as error:
        for problem in error.problems:
            head = str(problem.key).split(".")[0]
            assert head in data or head in Network.model_fields
            assert "function-" not in str(problem.key)


def test_importing_is_light() -> None:
    code = "import sys, archsim.config; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "pydantic" in loaded
    assert not {"numpy", "pandas", "matplotlib", "simpy", "typer", "rich", "numba"} & set(loaded)


class Tree(Strict):
    name: str
    sizes: tuple[int, ...] = ()
    children: tuple[Tree, ...] = ()

    @model_validator(mode="after")
    def named(self) -> Tree:
        if self.name == "bad":
            raise WorkloadError(Problem("bad name", key="name"))
        return self


def test_models_may_contain_themselves() -> None:
    text = (
        "name: a\nsizes: [1]\nchildren:\n  - name: b\n    children:\n      - {name: c, sizes: [x]}\n      - name: bad\n"
    )
    assert problems(text, Tree) == [
        "6: children.0.children.0.sizes.0: must be a whole number (got 'x')",
        "7: children.0.children.1.name: bad name",
    ]
    assert validate(Tree, parse_document("name: a\nchildren: [{name: b, sizes: [1]}]", "f")).children[0].sizes == (1,)
