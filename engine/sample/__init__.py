"""A talking face and voice made by code, with known timing: the demo, the tests and calibration stand on it."""
