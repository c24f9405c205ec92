"""Systolic arrays of processing elements: SATA and its relatives."""
