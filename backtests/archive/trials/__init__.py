"""What was tried: one log that forgets nothing, and tells where something was taken out of it."""
