"""The figures of the documentation, made whenever the site is built: python scripts/make_docs_figures.py FOLDER."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

import archsim
from archsim.report.sweep_figures import draw_front

TUTORIAL = Path(__file__).parent.parent / "docs" / "tutorial.md"


def chip_of_the_tutorial() -> str:
    """The chip as it stands after the tutorial's fifth step."""
    text = archsim.preset_text("sata")
    return text.replace("name: sata", "name: my-chip").replace("size: 144 KiB", "size: 72 KiB")


def space_of_the_tutorial() -> str:
    """The design space that the tutorial shows."""
    found = re.search(r"^# space\.yaml\n.*?(?=^```)", TUTORIAL.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[0]


def make_figures(folder: Path) -> None:
    """Write every figure that a page shows."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        (work / "my.yaml").write_text(chip_of_the_tutorial(), encoding="utf-8")
        (work / "space.yaml").write_text(space_of_the_tutorial(), encoding="utf-8")
        timeline = archsim.timeline(work / "my.yaml", "cnn-mnist")
        archsim.plot(timeline, by="gantt", output=folder / "gantt.png")
        table = archsim.sweep(work / "space.yaml", output=work / "space-sweep")
        draw_front(archsim.pareto(table, "energy_pj", "area_um2"), folder / "pareto.png")
        skips = ["sparsity=skip: row", "first_layer=once"]
        archsim.save_breakeven(
            archsim.breakeven("sata", "vgg9-cifar10", overrides=skips), figure=folder / "breakeven.png"
        )
        result = archsim.simulate(work / "my.yaml", "cnn-mnist", against=["sata-sim"])
        for by in ("component", "against-sata-sim"):
            archsim.plot(result, by=by, output=folder / f"{by}.png")


if __name__ == "__main__":
    make_figures(Path(sys.argv[1]))
