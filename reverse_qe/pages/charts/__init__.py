"""Charts of our own, as SVG: their text keeps its size at every width, and their colours follow the page."""
