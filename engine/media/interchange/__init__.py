"""Hand a correction on without writing a copy: to editors as a cut, to programs as a small file beside the clip."""
