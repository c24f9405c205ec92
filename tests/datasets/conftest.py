from __future__ import annotations

import pytest

from archsim.workload import load_workload

NET = """\
name: net
timesteps: {timesteps}
input: {{shape: {shape}, encoding: {encoding}{more}}}
precision: {{input_bits: {bits}}}
layers:
  - {{name: fc, type: linear, out_features: 10}}
"""


@pytest.fixture
def network(tmp_path):
    """A network that takes such inputs."""

    def build(shape, encoding="direct", timesteps=4, bits=8, more=""):
        path = tmp_path / "net.yaml"
        text = NET.format(shape=list(shape), encoding=encoding, timesteps=timesteps, bits=bits, more=more)
        path.write_text(text)
        return load_workload(path).network

    return build


@pytest.fixture
def said():
    """The problems of an error, as text."""

    def lines(call, *arguments):
        from archsim.errors import ConfigError

        with pytest.raises(ConfigError) as caught:
            call(*arguments)
        assert all(problem.key.startswith("--inputs") for problem in caught.value.problems)
        return [str(problem) for problem in caught.value.problems]

    return lines
