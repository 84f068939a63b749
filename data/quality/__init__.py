"""What a market holds, and what is odd in it."""
