"""The engine: everything that measures, corrects and renders. No Qt below this line."""
