"""The engines' tests can fail: every planted defect of scripts/mutate_engine.py is caught by them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "mutate_engine.py"


@pytest.mark.slow
def test_every_planted_defect_is_caught():
    done = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(" caught ") >= 20
