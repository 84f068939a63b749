"""The signal judged without the universe's return: what crypto, baskets and spreads did after it, in one table."""
