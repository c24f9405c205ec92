"""What is asked for is read, refused as a whole, and compared with the network."""

from __future__ import annotations

import numpy as np
import pytest

from archsim.datasets import load_inputs


def test_ranges_choose_samples():
    found = load_inputs(" mnist:3, 12..13 ")
    assert found.indices == (3, 12, 13) and found.labels.tolist() == [3, 2, 3]
    assert found.spec == " mnist:3, 12..13 "
    assert len(load_inputs("digits").indices) == len(load_inputs("digits:all").indices) == 1797


@pytest.mark.parametrize(
    ("spec", "texts"),
    [
        ("mnits:0", ["did you mean 'mnist'?"]),
        ("mnist:4999..5001", ["there are no samples 5000, 5001 (allowed: 0..4999)"]),
        ("mnist:5000", ["there is no sample 5000 "]),
        ("digits:0..1800", ["no samples 1797, 1798, 1799 and 1 more"]),
        ("mnist:one,3..2", ["not a sample (got 'one'", "the range ends before it starts (got '3..2')"]),
        ("mnist:", ["not a sample"]),
        ("nothing:one", ["no such dataset (got 'nothing'; allowed: mnist, digits", "not a sample"]),
        ("mnist@top=3,max=0,15:9999", ["no such setting", "allowed: 1..65535", "KEY=NUMBER", "no sample 9999"]),
        ("mnist@T=3", ["no such setting (got 'T'; allowed: max"]),
        ("mnist@", ["not of the form KEY=NUMBER"]),
        ("events-mnist@T=301:0", ["allowed: 1..300"]),
        ("events-mnist@T=300:all", ["ask for fewer"]),
        ("", ["no such dataset"]),
    ],
)
def test_everything_wrong_is_told_at_once(spec, texts, said):
    found = said(load_inputs, spec)
    assert len(found) == len(texts)
    for text in texts:
        assert any(text in line for line in found), found


def test_a_network_takes_images_of_its_shape(network):
    for encoding in ("direct", "rate", "ttfs"):
        found = load_inputs("mnist:0..1", network((1, 28, 28), encoding))
        assert np.array_equal(found.values, load_inputs("mnist:0..1").values)
    flat = load_inputs("mnist:0..1", network((784,)))
    assert flat.values.shape == (2, 784, 1, 1) and "flattened" in flat.note
    assert np.array_equal(flat.values.reshape(2, 784), load_inputs("mnist:0..1").values.reshape(2, 784))


def test_events_come_in_the_timesteps_and_counts_of_the_network(network):
    plain = load_inputs("events-mnist:0..1", network((2, 34, 34), "events", timesteps=7))
    assert plain.values.shape == (2, 7, 2, 34, 34) and plain.values.max() == 1
    counted = load_inputs("events-mnist:0", network((2, 34, 34), "events", timesteps=7, more=", max_spikes: 3"))
    assert counted.values.max() == 3
    flat = load_inputs("events-mnist:0", network((2 * 34 * 34,), "events", timesteps=7))
    assert flat.values.shape == (1, 7, 2312, 1, 1)


@pytest.mark.parametrize(
    ("spec", "net", "texts"),
    [
        ("mnist:0", {"shape": (3, 28, 28)}, ["takes [3, 28, 28], and these inputs have the shape [1, 28, 28]"]),
        ("mnist:0", {"shape": (1, 28, 28), "bits": 4}, ["up to 15 (4 input bits) (got 255; allowed: mnist@max=15)"]),
        ("mnist:0", {"shape": (2, 34, 34), "encoding": "events"}, ["takes events", "[2, 34, 34]"]),
        ("events-mnist:0", {"shape": (1, 28, 28)}, ["takes images", "[1, 28, 28]"]),
        (
            "events-mnist@T=9,max=2:5000",
            {"shape": (2, 34, 34), "encoding": "events", "timesteps": 8},
            ["8 timesteps, and these events have 9", "up to 1 (input.max_spikes: 1)", "no sample 5000"],
        ),
        ("events-mnist:0", {"shape": (2, 34, 34), "encoding": "events", "timesteps": 301}, ["allowed: 1..300"]),
    ],
)
def test_what_does_not_fit_the_network(spec, net, texts, network, said):
    found = said(load_inputs, spec, network(**net))
    assert len(found) == len(texts)
    for text in texts:
        assert any(text in line for line in found), found


def test_a_table_of_layers_takes_no_inputs(said):
    from archsim.workload import load_workload

    (text,) = said(load_inputs, "mnist:0", load_workload("icassp-direct").network)
    assert "table of layers" in text


def test_four_bits_fit_when_asked_for(network):
    assert load_inputs("mnist@max=15:0", network((1, 28, 28), bits=4)).values.max() == 15
