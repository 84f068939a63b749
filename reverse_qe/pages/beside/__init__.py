"""Drawing in a second process beside that of a command."""
