"""What is judged: a run, a sweep, an account, a registration, a file of returns."""
