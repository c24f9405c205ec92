"""What holds for every test: nothing is written to the user's home, and neither speed nor chance decides a test."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

settings.register_profile("every time the same", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None)  # HYPOTHESIS_PROFILE=explore: other examples in every run
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "every time the same"))


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
