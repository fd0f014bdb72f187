"""The timeline: pictures, mouth, sound and offsets under one time axis."""
