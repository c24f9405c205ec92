"""Analog in-memory-computing crossbars: SpikeSim's SpikeFlow and its relatives."""
