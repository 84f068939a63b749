"""What would turn the regime: one figure or event more, everything else as it is."""
