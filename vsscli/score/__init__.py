"""Protocols, totals, intervals: the numbers that could stand in a paper."""
