"""Answers that were computed before: one SQLite file of results, found by the content of the question."""

from archsim.store.answering import Answer, answer, opened
from archsim.store.database import SCHEMA_VERSION, Store, StoredRun
from archsim.store.key import key_of
from archsim.store.place import default_place

__all__ = ["SCHEMA_VERSION", "Answer", "Store", "StoredRun", "answer", "default_place", "key_of", "opened"]
