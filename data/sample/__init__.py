"""The built-in sample market: simulated prices and series of an economy that follows the thesis, with a known truth."""

from data.sample.market import load_market, sample_instruments, true_regime, true_return_parts

__all__ = ["load_market", "sample_instruments", "true_regime", "true_return_parts"]
