"""From a face and a voice to a clip in sync: what is wanted, how it is cut up, who draws it, and how it is checked."""
