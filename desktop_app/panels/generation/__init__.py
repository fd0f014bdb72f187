"""The page that renders: a face and a voice go in, a clip that was checked for sync comes out."""
