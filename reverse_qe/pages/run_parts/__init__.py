"""The parts of a run's page, each a heading and what stands below it."""
