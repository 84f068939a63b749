"""Runs as folders."""
