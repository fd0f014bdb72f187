"""Model files: which official ones there are, where the user has them, whether they are whole, and reading them."""
