"""The blocks of the liquidity signal."""
