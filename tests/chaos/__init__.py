"""Chaos: real processes on a real PostgreSQL, killed, paused, cut off and misled about the time, and a checker.

`python -m chaos --minutes 10 --seed 7` from `tests/` (or `make chaos`). Each entity's files set its user's post to 1, 2,
3…: the history of its link tells whether every file was applied, once, and in order of arrival.
"""
