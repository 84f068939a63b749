"""Variants of a spec: which there are, how they are run, what they say."""
