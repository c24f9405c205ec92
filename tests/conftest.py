"""What holds for every test: nothing is written to the user's home, and no test depends on how fast the machine is."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


@pytest.fixture(scope="session", autouse=True)
def store_of_the_session(tmp_path_factory):
    """Results go to a temporary store, in this process and in those that it starts."""
    before = os.environ.get("ARCHSIM_STORE")
    file = tmp_path_factory.mktemp("store") / "runs.sqlite"
    os.environ["ARCHSIM_STORE"] = str(file)
    yield file
    if before is None:
        del os.environ["ARCHSIM_STORE"]
    else:
        os.environ["ARCHSIM_STORE"] = before
