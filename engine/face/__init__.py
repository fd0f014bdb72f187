"""Faces: where they are, how the mouth moves, and who is speaking."""
