"""The reference, written while the site is built: Markdown in place of each ``<!-- generated: WHAT -->`` of a page.

WHAT is a kind of file (``systolic``, ``crossbar``, ``workload``, ``cost``, ``overlay``, ``device``, ``sweep``), read
from the pydantic model that checks such files; ``commands``, read from the command line itself; or ``python``, which
names every object of ``archsim.__all__``, and of ``CALLED``, to autodoc.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import is_dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, get_args

import typer
from pydantic import BaseModel, BeforeValidator
from pydantic.fields import FieldInfo

import archsim
from archsim.accelerators import family, family_names
from archsim.analog import Device
from archsim.cli import app as command_line
from archsim.config.describe import describe
from archsim.config.places import Place, field_place, literals_of, place_of
from archsim.cost.schema import CostFileModel, OverlayModel
from archsim.sweeps.spec import SweepFile
from archsim.workload.schema import WorkloadFile

if TYPE_CHECKING:
    from sphinx.application import Sphinx

MARK = re.compile(r"<!-- generated: (\w+) -->(?:\n\*.*\*)?")  # with the line that stands in where no site is built
ENDLESS = re.compile(r"from (\d+) to 2147483647")  # bounds of the columns that hold it, not of the thing
Model = type[BaseModel]
CALLED = {
    "archsim.analog": ("effective_conductance", "gated_currents"),
    "archsim.snn": ("simulate", "Simulated", "exits", "Exit", "events_to_raster"),
    "archsim.datasets": ("load_inputs", "Inputs"),
    "archsim.workload": ("write_trace", "write_weights"),
}


def file_models() -> dict[str, Model]:
    """The model of every kind of file."""
    models: dict[str, Model] = {name: family(name).schema for name in family_names()}
    models |= {"workload": WorkloadFile, "cost": CostFileModel, "overlay": OverlayModel, "device": Device}
    return models | {"sweep": SweepFile}


def below(place: Place, path: str) -> Iterator[tuple[str, Model]]:
    """The models that may stand at a place, with the dotted path at which a file has them."""
    for member in place.members:
        yield from below(member, path)
    kind = place.annotation
    if place.members:
        return
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield path, kind
        return
    steps = {dict: ".NAME", list: "[]", tuple: "[]"}
    for argument in get_args(kind):
        if argument is not Ellipsis and not isinstance(argument, str | int | float | bool):
            yield from below(place_of(argument), path + steps.get(getattr(kind, "__origin__", None), ""))


def sections(root: Model) -> dict[Model, list[str]]:
    """Every model of a file, and where it may stand in it; the root stands at the empty path."""
    found: dict[Model, list[str]] = {root: [""]}
    queue = [(root, "")]
    while queue:
        model, path = queue.pop(0)
        for name, field in model.model_fields.items():
            for where, inner in below(field_place(field), f"{path}.{field.alias or name}".lstrip(".")):
                if inner not in found:
                    queue.append((inner, where))
                    found[inner] = []
                if where not in found[inner]:
                    found[inner].append(where)
    return found


def cell(text: str) -> str:
    """Text within a table."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def code(text: str) -> str:
    """A word of a file or command within a table."""
    return f"`{text}`".replace("|", "\\|")


def default_of(field: FieldInfo) -> str:
    """What holds when a key is left out."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel) or value is None or value in ({}, [], ""):
        return "–"
    if isinstance(value, bool):
        return code(str(value).lower())
    has_own_text = any(isinstance(item, BeforeValidator) for item in field.metadata)
    return "–" if has_own_text and not isinstance(value, str) else code(f"{value}".replace("[None]", "[null]"))


def allowed_at(field: FieldInfo, inner: list[tuple[str, Model]]) -> str:
    """What a key may be set to."""
    place = field_place(field)
    if any(isinstance(item, BeforeValidator) for item in field.metadata):
        return "see meaning"
    if literals_of(place) and not place.members:
        return ", ".join(code(str(value)) for value in literals_of(place)) + " or null" * place.accepts_null
    words = describe(place) or ("a mapping" if inner else "any value")
    return cell(ENDLESS.sub(r"of at least \1", words))


def model_table(kind: str, model: Model) -> Iterator[str]:
    """One line for each key of a model."""
    yield "| key | allowed | default | meaning |"
    yield "|---|---|---|---|"
    for name, field in model.model_fields.items():
        inner = list(below(field_place(field), ""))
        meaning = field.description or summary(inner[0][1])
        links = [f"[{types_of(item) or 'its keys'}](#{target(kind, item)})" for _, item in inner]
        yield (
            f"| {code(field.alias or name)} | {allowed_at(field, inner)} | {default_of(field)} "
            f"| {cell(' → '.join([meaning, ', '.join(links)]) if links else meaning)} |"
        )


def types_of(model: Model) -> str:
    """The values of ``type`` that choose a model among others; nothing where it is the only one."""
    field = model.model_fields.get("type")
    return ", ".join(map(str, literals_of(field_place(field)))) if field is not None else ""


def target(kind: str, model: Model) -> str:
    """The anchor of a model's table."""
    return f"{kind}-{model.__name__.lower()}"


def summary(item: object) -> str:
    """The first paragraph of a docstring."""
    return " ".join((inspect.getdoc(item) or "").split("\n\n")[0].split())


def model_text(kind: str) -> str:
    """The reference of one kind of file."""
    lines: list[str] = []
    for model, paths in sections(file_models()[kind]).items():
        heading = ", ".join(f"`{path}`" for path in paths) if paths != [""] else "The file"
        heading += f" of type {types_of(model)}" if types_of(model) else ""
        lines += ["", f"({target(kind, model)})=", f"## {heading}", "", summary(model).replace("``", "`"), ""]
        lines += model_table(kind, model)
    return "\n".join(lines)


def verbs(group: Any, name: str = "archsim") -> Iterator[tuple[str, Any]]:
    """Every command with its full name; a group gives its commands."""
    if not hasattr(group, "commands"):
        yield name, group
        return
    for word, command in group.commands.items():
        yield from verbs(command, f"{name} {word}")


def parameter_line(parameter: Any) -> str:
    """One argument or option as a line of a table."""
    is_option = parameter.opts[0].startswith("-")
    name = ", ".join(parameter.opts) if is_option else argument_name(parameter)
    value = "" if not is_option or parameter.is_flag else parameter.metavar or parameter.name.upper()
    default = parameter.default
    shown = "required" if parameter.required else code(str(default)) if default not in (None, False, "") else "–"
    return f"| {code(f'{name} {value}'.strip())} | {shown} | {cell(parameter.help or '')} |"


def argument_name(parameter: Any) -> str:
    """What a usage line calls an argument."""
    return str(parameter.metavar or parameter.name.upper())


def command_text() -> str:
    """The reference of the command line."""
    top = typer.main.get_command(command_line)
    lines = ["", "## archsim", "", str(top.help), ""]
    lines += ["| option | default | meaning |", "|---|---|---|", *map(parameter_line, top.params)]
    lines += ["| `-h, --help` | – | Show help and exit; every verb has it. |"]
    for name, command in verbs(top):
        arguments = [argument_name(one) for one in command.params if not one.opts[0].startswith("-")]
        lines += ["", f"## {name}", "", str(command.help).strip(), ""]
        lines += ["```text", " ".join([name, *arguments, "[OPTIONS]"]), "```", ""]
        lines += ["| argument or option | default | meaning |", "|---|---|---|"] if command.params else []
        lines += [parameter_line(one) for one in command.params if one.name != "help"]
    return "\n".join(lines)


def python_text() -> str:
    """Directives for everything that ``archsim`` exports, and what of its rooms people call themselves."""
    lines: list[str] = []
    for place, names in {"archsim": tuple(archsim.__all__), **CALLED}.items():
        module = import_module(place)
        lines += [f"## {place}", "", "```{eval-rst}", f".. currentmodule:: {place}", ""]
        for name in names:
            item = getattr(module, name)
            lines += [f".. auto{'class' if inspect.isclass(item) else 'function'}:: {name}"]
            lines += ["   :members:", "   :undoc-members:"] * inspect.isclass(item)
            lines += ["   :exclude-members: __init__, __new__"] * is_dataclass(item) + [""]
        lines += ["```", ""]
    return "\n".join(lines)


def text_of(what: str) -> str:
    """The Markdown that a mark stands for."""
    return {"commands": command_text, "python": python_text}.get(what, lambda: model_text(what))()


def expand(_app: Sphinx, _page: str, source: list[str]) -> None:
    """Put the generated text into a page that is read."""
    source[0] = MARK.sub(lambda mark: text_of(mark[1]), source[0])


def setup(app: Sphinx) -> dict[str, bool]:
    """Pages are completed when they are read."""
    app.connect("source-read", expand)
    return {"parallel_read_safe": True}
