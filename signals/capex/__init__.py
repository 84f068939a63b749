"""What the spenders' figures, news and funding tell the drain."""
