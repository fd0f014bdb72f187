"""The sample: a voice, a face and clips with known timing."""
