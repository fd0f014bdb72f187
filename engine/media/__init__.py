"""Files: what is in them, their frames and samples with true presentation times, and exports that move the sound."""
