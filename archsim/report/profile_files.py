"""The files of a profile: ``profile.json`` and its figures in one folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from archsim.errors import ArchsimError, Problem
from archsim.report import profile_figures
from archsim.report.style import paper
from archsim.result import writable_folder

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from archsim.profiling import Profile

FILE = "profile.json"
FIGURES: Mapping[str, Callable[[Profile], Figure]] = {
    "shorter": profile_figures.by_gain,
    "cheaper": profile_figures.by_saving,
    "roofline": profile_figures.by_roofline,
}


def save_profile(profile: Profile, folder: str | Path) -> tuple[Path, ...]:
    """Write ``profile.json``, ``shorter.png``, ``cheaper.png`` and ``roofline.png``; returns their paths.

    ArchsimError where that cannot be written.
    """
    writable_folder(folder)
    path = Path(folder)
    written = [path / FILE]
    part = path / (FILE + ".part")
    try:
        path.mkdir(parents=True, exist_ok=True)
        part.write_text(profile.to_text(), encoding="utf-8")
        part.replace(path / FILE)
        with paper():
            for name, make in FIGURES.items():
                make(profile).savefig(path / f"{name}.png")
                written.append(path / f"{name}.png")
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ArchsimError(Problem(f"cannot write the profile: {error.strerror or error}", file=str(path))) from error
    return tuple(written)
