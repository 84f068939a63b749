"""A finished run again with something changed, and the signal against prices."""
