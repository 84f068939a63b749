"""How an account stands, and whether it can be traded."""
