"""Regime models: each makes a regime of the score, of the blocks, or of both, online. `registry` chooses one."""
