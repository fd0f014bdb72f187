"""The player: pictures and sound at the same moment, whatever the correction, at any speed."""
