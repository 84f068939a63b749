"""From what sources answer to the next version of a market."""
