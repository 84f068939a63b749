"""Runs that were written and trials that were counted, in words."""
