"""Data that travels with the program: words in every language, model weights, presets."""
