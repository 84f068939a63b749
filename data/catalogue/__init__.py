"""What instruments, series and companies are, and when their values become public."""
