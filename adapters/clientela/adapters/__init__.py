"""Stores, buses, keys and clocks, and the process that wires them."""
