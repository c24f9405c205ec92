"""What is put comes back the same; listing, finding and removing; a stored answer is the fresh one, byte by byte."""

from __future__ import annotations

import pickle
import warnings
from dataclasses import replace

import pytest

import archsim
from archsim import ArchsimError, Store
from archsim.request import prepare
from archsim.simulation import fulfil
from archsim.store import answer, default_place, key_of, load_run

QUESTIONS = [
    {},
    {"samples": "0..2"},
    {"vary_costs": True, "engine": "fast"},
    {"against": ["sata-sim:act_bits=4", "scalesim", "sata-sim-shipped"]},
    {"overrides": ["array.rows=32", "clock=200 MHz"]},
]


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "folder" / "runs.sqlite")


@pytest.fixture(scope="module")
def result():
    return archsim.simulate("sata", "cnn-mnist")


def never():
    raise AssertionError("executed")


@pytest.mark.parametrize("options", QUESTIONS, ids=str)
def test_a_stored_answer_is_the_fresh_one_byte_by_byte(store, options):
    request = prepare("sata", "cnn-mnist", **options)
    first = answer(request, store, lambda: fulfil(request))
    again = answer(request, Store(store.path), never)
    assert first.stored is None and again.stored is not None
    assert again.result.to_text() == first.result.to_text() == fulfil(request).to_text()
    assert again.stored.id in again.origin and again.stored.when in again.origin


def test_another_family_comes_back_the_same(store):
    request = prepare("spikeflow", "cnn-mnist")
    fresh = answer(request, store, lambda: fulfil(request)).result
    assert answer(request, store, never).result == fresh


def test_simulate_asks_a_store_only_when_it_is_given_one(store, monkeypatch):
    first = archsim.simulate("sata", "cnn-mnist", store=store)
    monkeypatch.setattr("archsim.simulation.fulfil", lambda *_: never())
    assert archsim.simulate("sata", "cnn-mnist", store=store) == first
    assert archsim.simulate("sata", "cnn-mnist", store=str(store.path), engine="fast") == first
    for options in ({}, {"store": store, "samples": 1}, {"store": store, "vary_costs": True}):
        with pytest.raises(AssertionError, match="executed"):
            archsim.simulate("sata", "cnn-mnist", **options)


def test_nothing_is_made_by_asking(store):
    assert store.get("0" * 64) is None and store.rows() == () and store.row("0" * 64) is None
    store.check()
    with pytest.raises(ArchsimError, match="no run of the store has this id"):
        store.find("0123")
    assert not store.path.parent.exists()


def test_rows_say_what_was_run(store, result):
    store.put("ab" * 32, result, 1.25)
    changed = archsim.simulate("sata", "cnn-mnist", overrides="array.rows=32")
    store.put("cd" * 32, changed, 0.5)
    one, two = store.rows()
    assert (one.id, one.key, one.arch, one.workload, one.seconds) == ("ab" * 5, "ab" * 32, "sata", "cnn-mnist", 1.25)
    assert (one.energy_pj, one.latency_ns, one.area_um2) == (result.energy_pj, result.latency_ns, result.area_um2)
    assert one.when.endswith("Z") and (one.overrides, two.overrides) == ((), ("array.rows=32",))
    assert store.row("cd" * 32) == two


def test_what_is_put_again_replaces(store, result):
    store.put("ab" * 32, result, 1.0)
    store.put("ab" * 32, replace(result, energy_pj=1.0), 2.0)
    assert store.get("ab" * 32).energy_pj == 1.0
    assert [row.seconds for row in store.rows()] == [2.0]


def test_an_id_may_be_shortened_until_it_is_ambiguous(store, result):
    store.put("abcd1" + "0" * 59, result, 1.0)
    store.put("abcd2" + "0" * 59, replace(result, energy_pj=1.0), 1.0)
    assert store.find("abcd2").energy_pj == 1.0
    assert store.find("ABCD1") == result
    with pytest.raises(ArchsimError, match=r"several runs.*abcd100000, abcd200000"):
        store.find("abcd")
    with pytest.raises(ArchsimError, match="too short"):
        store.find("abc")
    with pytest.raises(ArchsimError, match="did you mean 'abcd200000'"):
        store.find("abcd200001")


def test_figures_that_are_no_numbers_are_not_kept(store, result):
    with pytest.raises(ArchsimError, match="energy_pj: is not a finite number"):
        store.put("ab" * 32, replace(result, energy_pj=float("nan")), 1.0)
    assert store.rows() == ()


def test_all_wrong_ids_are_named_and_nothing_is_removed(store, result):
    store.put("ab" * 32, result, 1.0)
    with pytest.raises(ArchsimError) as caught:
        store.remove(["abab", "1111", "2222"])
    assert [problem.value for problem in caught.value.problems] == ["1111", "2222"]
    assert len(store.rows()) == 1
    assert store.remove(["abab", "ababab"]) == 1
    assert store.rows() == () and store.remove([]) == 0


def test_a_store_travels_to_other_processes(store, result, monkeypatch):
    store.put("ab" * 32, result, 1.0)
    assert pickle.loads(pickle.dumps(store)).find("abab") == result
    monkeypatch.chdir(store.path.parent)
    packed = pickle.dumps(Store(store.path.name))
    monkeypatch.chdir("/")
    assert pickle.loads(packed).find("abab") == result


def test_the_place_without_a_name(tmp_path, monkeypatch):
    monkeypatch.setenv("ARCHSIM_STORE", str(tmp_path / "mine.sqlite"))
    assert default_place() == Store().path == tmp_path / "mine.sqlite"
    monkeypatch.delenv("ARCHSIM_STORE")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_place() == tmp_path / "archsim" / "runs.sqlite"
    monkeypatch.setenv("XDG_DATA_HOME", "relative")  # which the rules say to ignore
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_place() == tmp_path / ".local" / "share" / "archsim" / "runs.sqlite"


def test_a_run_is_named_by_itself_its_folder_or_its_id(store, result, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store.put("ab" * 32, result, 1.0)
    assert load_run(result) is result
    assert load_run("ababab", store) == result
    replace(result, energy_pj=7.0).save("ababab")
    assert load_run("ababab", store).energy_pj == 7.0
    with pytest.raises(ArchsimError, match="no result here"):
        load_run("nothing", store)


def test_prepare_finds_a_wrong_store_with_everything_else(tmp_path):
    (tmp_path / "wrong").write_text("this is not a database, but it is long enough to be read as one" * 20)
    with pytest.raises(ArchsimError) as caught:
        prepare("satta", "cnn-mnist", store=tmp_path / "wrong")
    assert [problem.value for problem in caught.value.problems] == ["satta", None]
    assert "not a store of results" in str(caught.value)


def test_what_cannot_be_kept_is_a_warning_and_an_answer(store, result, monkeypatch):
    def full(*_):
        raise ArchsimError("the disk is full")

    monkeypatch.setattr(Store, "put", full)
    with pytest.warns(UserWarning, match="not stored: the disk is full"):
        assert archsim.simulate("sata", "cnn-mnist", store=store) == result


def test_a_good_store_warns_of_nothing(store):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        archsim.simulate("sata", "cnn-mnist", store=store)
    assert store.find(key_of(prepare("sata", "cnn-mnist"))).arch == "sata"
