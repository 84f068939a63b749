"""What stands beside an account that is stepped by the clock: its log and its pages."""
