"""The files of a profile: ``profile.json`` and its figures in one folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from archsim.report import profile_figures
from archsim.report.style import paper
from archsim.result import writable_folder, written_whole

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
    with written_whole(path / FILE, "the profile", shown=path) as part:
        part.write_text(profile.to_text(), encoding="utf-8")
    with paper():
        for name, make in FIGURES.items():
            with written_whole(path / f"{name}.png", "the profile", shown=path) as part:
                make(profile).savefig(part, format="png")
            written.append(path / f"{name}.png")
    return tuple(written)
