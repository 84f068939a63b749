"""Rows and sentences of the signal's judgement."""
