"""Run many mutated shipped files through the command line: no traceback, no exit code but 0 and 2.

python scripts/fuzz_inputs.py [CASES]          (default 10,000; tests run 2,000)
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

if __name__ == "__main__":
    cases = sys.argv[1] if len(sys.argv) > 1 else "10000"
    root = Path(__file__).resolve().parent.parent
    command = [sys.executable, "-m", "pytest", "-m", "slow", "-n", "0", "tests/test_fuzz.py"]
    environment = {**os.environ, "ARCHSIM_FUZZ_CASES": cases}
    sys.exit(subprocess.run(command, cwd=root, env=environment, check=False).returncode)
