"""Asking a host over the network: paced, asked again, failures in one line without a secret."""
