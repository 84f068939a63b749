"""Paper accounts at Alpaca."""
