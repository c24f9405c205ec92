from __future__ import annotations

import pytest

from archsim.cost.table import CostTable, load_costs


@pytest.fixture(scope="session")
def table() -> CostTable:
    return load_costs()
