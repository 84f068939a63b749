"""Parts of the page of a paper account that are pages of their own too."""
