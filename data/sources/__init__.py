"""Where data come from: Yahoo, FRED and SEC EDGAR, each behind one module; nothing else here reaches the network."""
