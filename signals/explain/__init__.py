"""Why the signal says what it says."""
