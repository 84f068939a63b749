"""Results, guidance and funding: completed, dated, listed, checked, compared."""
