"""What prices did around events: abnormal returns, their tests, and what the news explains of them."""
