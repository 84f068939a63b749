"""Run a spec: engines, costs, results, tearsheets."""
