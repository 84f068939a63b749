"""What was known, and when: instruments, clock, catalogues, snapshots, events."""
