"""The conformance suite: what every accelerator family, and every dataflow of the systolic family, must satisfy.

For a dataflow of your own, registered by an entry point or by the file that ``--plugin`` names::

    import pytest
    from archsim import testing
    from archsim.accelerators import load_plugin

    load_plugin("my_dataflow.py")

    @pytest.mark.parametrize("check", testing.DATAFLOW_CHECKS, ids=testing.name_of)
    def test_my_dataflow(check):
        check("my_dataflow")

For a family of your own, with a chip and a network that it can execute::

    @pytest.mark.parametrize("check", testing.FAMILY_CHECKS, ids=testing.name_of)
    def test_my_family(check):
        check(testing.Subject(load_architecture("my_chip.yaml"), testing.network()))

A check raises AssertionError with what is wrong. Nothing here imports a test runner.
"""

from __future__ import annotations

from collections.abc import Callable

from archsim.testing.family import FAMILY_CHECKS
from archsim.testing.subjects import Subject, chip, network, subject
from archsim.testing.systolic import DATAFLOW_CHECKS


def name_of(check: Callable[..., None]) -> str:
    """A readable test id of a check."""
    return check.__name__.removeprefix("check_")


__all__ = ["DATAFLOW_CHECKS", "FAMILY_CHECKS", "Subject", "chip", "name_of", "network", "subject"]
