"""Answers that were computed before: one SQLite file of results, found by the content of the question."""

from archsim.store.answering import Answer, answer, chosen, opened
from archsim.store.database import SCHEMA_VERSION, Store, StoredRun
from archsim.store.key import key_of
from archsim.store.loading import load_run
from archsim.store.place import default_place

__all__ = [
    "SCHEMA_VERSION",
    "Answer",
    "Store",
    "StoredRun",
    "answer",
    "chosen",
    "default_place",
    "key_of",
    "load_run",
    "opened",
]
