"""The window: it shows and asks; everything that measures and renders runs in the engine's own process."""
