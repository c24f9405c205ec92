from __future__ import annotations

from pathlib import Path

import pytest

NETWORK = """
name: tiny
timesteps: 2
input: {shape: [2, 6, 6], encoding: rate}
layers:
  - {name: conv1, type: conv2d, out_channels: 4, kernel: 3, padding: 1}
  - {name: fc1, type: linear, out_features: 5}
activity: {density: 0.3}
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a sweep's file beside a tiny network, and work in that folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARCHSIM_STORE", str(tmp_path / "store.db"))
    (tmp_path / "tiny.yaml").write_text(NETWORK)

    def written(text: str, name: str = "spec.yaml") -> Path:
        path = tmp_path / name
        path.write_text("archs: [sata]\nworkloads: [tiny.yaml]\n" + text)
        return path

    return written
