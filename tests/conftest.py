"""What holds for every test: nothing is written to the user's home, and neither speed nor chance decides a test."""

from __future__ import annotations

import functools
import os

import pytest
import typer.main
import typer.testing
from hypothesis import settings

from archsim.engine import expect_many_executions, numba_is_there

settings.register_profile("every time the same", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None)  # HYPOTHESIS_PROFILE=explore: other examples in every run
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "every time the same"))

typer.testing._get_command = functools.cache(typer.main.get_command)  # the runner would build all verbs for every call


@pytest.fixture(scope="session", autouse=True)
def compiled_code():
    """With ARCHSIM_TEST_COMPILED, the fast engine is compiled before the first test, whatever the size of its graph."""
    if os.environ.get("ARCHSIM_TEST_COMPILED"):
        assert numba_is_there()
        expect_many_executions()


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
