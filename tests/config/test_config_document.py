"""Documents: every refusal with its exact line, scalars of YAML 1.2, hostile input."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from archsim.config import Document, load_document, parse_document, reader
from archsim.errors import ConfigError


def messages(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_document(text, "my.yaml")
    return [str(problem) for problem in caught.value.problems]


def read(text: str) -> Any:
    return parse_document(text, "my.yaml").data


def test_every_key_and_item_has_its_line() -> None:
    text = (
        "# head\nname: x\n\narray:\n  rows: 4\n  kernel: [3,\n    5]\nlayers:\n  - {name: a,\n     k: 1}\n  - name: b\n"
    )
    document = parse_document(text, "my.yaml")
    assert document.data == {
        "name": "x",
        "array": {"rows": 4, "kernel": [3, 5]},
        "layers": [{"name": "a", "k": 1}, {"name": "b"}],
    }
    assert document.lines == {
        (): 2,
        ("name",): 2,
        ("array",): 4,
        ("array", "rows"): 5,
        ("array", "kernel"): 6,
        ("array", "kernel", 0): 6,
        ("array", "kernel", 1): 7,
        ("layers",): 8,
        ("layers", 0): 9,
        ("layers", 0, "name"): 9,
        ("layers", 0, "k"): 10,
        ("layers", 1): 11,
        ("layers", 1, "name"): 11,
    }


def test_line_of_what_is_not_there_is_that_of_its_parent() -> None:
    document = parse_document("a: 1\nb:\n  c: 2\n", "my.yaml")
    assert document.line(("b", "c", "d")) == 3
    assert document.line(("b", "x")) == 2
    assert document.line(("zz",)) == 1
    assert str(document.problem(("b", "x"), "is missing")) == "my.yaml:2: b.x: is missing"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-12", 1e-12),
        ("1E3", 1000.0),
        ("-.5", -0.5),
        ("+1.", 1.0),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("1e999", math.inf),
        ("010", 10),
        ("-007", -7),
        ("-" + "0" * 100 + "5", -5),
        ("0x1F", 31),
        ("0o17", 15),
        ("18446744073709551615", 2**64 - 1),
        ("-3", -3),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("null", None),
        ("on", "on"),
        ("off", "off"),
        ("yes", "yes"),
        ("no", "no"),
        ("y", "y"),
        ("12:30", "12:30"),
        ("1:2:3", "1:2:3"),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("2024-01-31", "2024-01-31"),
        ("2024-01-31T10:00:00Z", "2024-01-31T10:00:00Z"),
        ("=", "="),
        ("144 KiB", "144 KiB"),
        ("1e", "1e"),
        (".", "."),
        ("'12'", "12"),
        ('"true"', "true"),
        ("!!str 12", "12"),
        ("! 12", "12"),
        ("!!float 3", 3.0),
        ("!!int '7'", 7),
        ("!!null ''", None),
        ('"\\u00b5"', "µ"),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, value: Any) -> None:
    result = read(f"k: {text}")["k"]
    assert result == value
    assert type(result) is type(value)


def test_nan_is_a_float() -> None:
    assert math.isnan(read("k: .nan")["k"])


def test_aliases_are_copies_with_the_line_where_they_stand() -> None:
    document = parse_document("base: &b\n  k: 1\nlist:\n  - *b\n  - *b\n", "my.yaml")
    first, second = document.data["list"]
    assert first == second == {"k": 1}
    assert first is not second
    assert document.line(("list", 1)) == 5
    assert document.line(("list", 1, "k")) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "my.yaml: is empty"),
        ("# only a comment\n", "my.yaml: is empty"),
        ("---\n", "my.yaml: is empty"),
        ("a: 1\n---\nb: 2\n", "my.yaml:2: a second document starts here; one file holds one document"),
        ("x: 1\na: 1\nb: 2\na: 3\n", "my.yaml:4: a: key stands twice (first on line 2)"),
        ("array:\n  rows: 1\n  'rows': 2\n", "my.yaml:3: array.rows: key stands twice (first on line 2)"),
        ("a:\n  1: x\n", "my.yaml:2: a: a key must be text; write '1' in quotes"),
        ("true: x\n", "my.yaml:1: a key must be text; write 'true' in quotes"),
        ("a: {null: x}\n", "my.yaml:1: a: a key must be text; write 'null' in quotes"),
        ("a: 1\n? [b, c]\n: 2\n", "my.yaml:2: a list cannot be a key"),
        ("? {b: c}\n: 2\n", "my.yaml:1: a mapping cannot be a key"),
        (
            "a: 1\nb: !!python/object:os.system {}\n",
            "my.yaml:2: b: tag !!python/object:os.system is not allowed on a mapping",
        ),
        ("a: !mine 3\n", "my.yaml:1: a: tag !mine is not allowed"),
        ("a: !!binary aGk=\n", "my.yaml:1: a: tag !!binary is not allowed"),
        ("a: !!timestamp 2024-01-31\n", "my.yaml:1: a: tag !!timestamp is not allowed"),
        ("a: !!set {x}\n", "my.yaml:1: a: tag !!set is not allowed on a mapping"),
        ("a: !!int x\n", "my.yaml:1: a: not a value of the tag !!int (got 'x')"),
        ("a: 18446744073709551616\n", "my.yaml:1: a: whole number beyond 64 bits (got '18446744073709551616')"),
        ("a: &x\n  - *x\n", "my.yaml:2: alias '*x' stands inside its own anchor '&x'"),
        ("a: 1\nb: *nope\n", "my.yaml:2: alias '*nope' has no anchor '&nope' before it"),
        (
            "a: &x {k: 1}\nb:\n  <<: *x\n",
            "my.yaml:3: b: merge key '<<' is not supported; write the keys out or alias a whole mapping",
        ),
        ("a: 1\nb: x\x00y\n", "my.yaml:2: control character U+0000"),
        ("a: \ud800\n", "my.yaml:1: control character U+D800"),
        ('a: 1\nb: "x\\0y"\n', "my.yaml:2: b: control character in text (got 'x\\x00y')"),
        ('a: "\\e[31m"\n', "my.yaml:1: a: control character in text (got '\\x1b[31m')"),
    ],
)
def test_refused(text: str, expected: str) -> None:
    assert messages(text) == [expected]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: [1, 2\nb: 3\n", 2),
        ("a: 1\n\tb: 2\n", 2),
        ("a: b: c\n", 1),
        ("a: 1\n  b: 2\n", 2),
        ("a: 'x\n", 2),
        ("a: @b", 1),
    ],
)
def test_bad_syntax_gives_the_line(text: str, line: int) -> None:
    (message,) = messages(text)
    assert message.startswith(f"my.yaml:{line}: not YAML: ")


def test_all_problems_come_at_once_in_file_order() -> None:
    text = "b: !x 1\na:\n  1: 2\n  c: 1\n  c: 2\nb: 3\nd: 99999999999999999999\n"
    assert [message.split(": ")[0] for message in messages(text)] == [f"my.yaml:{line}" for line in (1, 3, 5, 6, 7)]


def test_the_same_bad_value_behind_aliases_is_one_problem() -> None:
    assert len(messages("a: &a {k: !x 1}\nb: [*a, *a, *a]\n")) == 1


def test_quoted_merge_key_is_an_ordinary_key() -> None:
    assert read("'<<': 1") == {"<<": 1}


def billion_laughs(width: int, depth: int) -> str:
    rows = ["a0: &a0 [" + ", ".join(["lol"] * width) + "]"]
    rows += [f"a{i}: &a{i} [" + ", ".join([f"*a{i - 1}"] * width) + "]" for i in range(1, depth)]
    return "\n".join(rows)


def test_alias_bomb_is_refused_at_once() -> None:
    """Written out, the first row beyond the limit is the sixth; all forty rows would never fit a memory."""
    assert messages(billion_laughs(9, 40)) == ["my.yaml:6: more than 100,000 values, aliases written out"]


def test_a_chain_of_aliases_cannot_nest_without_end() -> None:
    text = "\n".join(["a0: &a0 [1]"] + [f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 90)])
    assert messages(text) == ["my.yaml:63: nested deeper than 64 levels"]


@pytest.mark.parametrize("loader", ["CSafeLoader", "SafeLoader"])
@pytest.mark.parametrize("text", ["[" * 60_000, "{a: " * 60_000, "- " * 60_000, "? " * 60_000, "[{" * 60_000])
def test_deep_nesting_is_refused(text: str, loader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_Loader", getattr(yaml, loader, yaml.SafeLoader))
    (message,) = messages(text)
    assert "nested deeper than 64 levels" in message or "not YAML" in message


def test_nesting_up_to_the_limit_is_read() -> None:
    assert read("[" * 64 + "]" * 64)
    assert messages("[" * 65 + "]" * 65) == ["my.yaml:1: nested deeper than 64 levels"]


def test_too_many_values() -> None:
    assert "more than 100,000 values" in messages("[" + "1," * 100_001 + "]")[0]


def test_digits_without_end() -> None:
    assert "beyond 64 bits" in messages("a: " + "9" * 1_000_000)[0]
    assert "beyond 64 bits" in messages("a: 0x" + "f" * 1_000_000)[0]


class TestFiles:
    def test_reads_and_remembers_the_folder(self, tmp_path: Path) -> None:
        path = tmp_path / "net.yaml"
        path.write_bytes("\ufeffa: µ\r\nb: 2\r\n".encode())
        document = load_document(path)
        assert document.data == {"a": "µ", "b": 2}
        assert (document.file, document.folder, document.line(("b",))) == (str(path), tmp_path, 2)
        assert load_document(path, "net (preset)").file == "net (preset)"

    def test_not_found(self, tmp_path: Path) -> None:
        assert self.refused(tmp_path / "no.yaml") == f"{tmp_path / 'no.yaml'}: file not found"
        assert self.refused(tmp_path / "no" / "no.yaml").endswith("file not found")

    def test_a_folder(self, tmp_path: Path) -> None:
        assert self.refused(tmp_path) == f"{tmp_path}: is a folder, not a file"

    def test_below_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "f").write_text("a: 1")
        assert "cannot be read: " in self.refused(tmp_path / "f" / "g.yaml")

    def test_nul_and_surrogates_in_the_name(self) -> None:
        assert "cannot be read" in self.refused(Path("a\0b.yaml"))
        assert self.refused(Path("a\udc80b.yaml")).encode("utf-8")

    def test_not_utf8(self, tmp_path: Path) -> None:
        path = tmp_path / "latin.yaml"
        path.write_bytes(b"a: 1\nb: \xb5\n")
        assert self.refused(path) == f"{path}:2: not UTF-8 text"

    def test_too_large(self, tmp_path: Path) -> None:
        path = tmp_path / "big.yaml"
        path.write_bytes(b"#" * (16 * 2**20 + 1))
        assert self.refused(path) == f"{path}: larger than 16 MiB"

    def refused(self, path: Path) -> str:
        with pytest.raises(ConfigError) as caught:
            load_document(path)
        (problem,) = caught.value.problems
        return str(problem)


PRINTABLE = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029\ufeff\ufffe\uffff"))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**64) + 1, 2**64 - 1)
    | st.floats(allow_nan=False)
    | PRINTABLE.filter(lambda text: all(ord(char) not in range(0xFFFE, 0x110000, 0x10000) for char in text))
)
DATA = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(PRINTABLE, inner, max_size=4), max_leaves=12
)


class Dumper(yaml.SafeDumper):
    """Quotes text that YAML 1.1 takes for something else, and (below) what only YAML 1.2 does."""


Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]*\.?[0-9]*([eE][-+]?[0-9]+)?$"), list("-+.0123456789")
)
Dumper.add_implicit_resolver("tag:yaml.org,2002:int", re.compile("0o[0-7]+$"), ["0"])


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(PRINTABLE, DATA, min_size=1, max_size=4), st.booleans())
@example({"0E0": "1e5", "a": "0o17", "on": "12:30"}, False)
def test_parsing_what_was_dumped_gives_the_data_back(data: dict[str, Any], flow: bool) -> None:
    text = yaml.dump(data, Dumper=Dumper, default_flow_style=flow, allow_unicode=True, width=60)
    assert read(text) == data


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | st.text("{}[]:,-?!&*|>'\"%@`#<~ \n\tab01.e\\x\ud800\x00", max_size=60))
def test_garbage_is_read_or_refused_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, garbage: bytes | str
) -> None:
    try:
        if isinstance(garbage, bytes):
            path = tmp_path_factory.getbasetemp() / "garbage.yaml"
            path.write_bytes(garbage)
            document = load_document(path)
        else:
            document = parse_document(garbage, "my.yaml")
    except ConfigError as error:
        assert str(error).encode("utf-8")
    else:
        assert isinstance(document, Document)
