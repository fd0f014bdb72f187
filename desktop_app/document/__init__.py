"""The open clip: its state, the commands that change it, and the file that keeps it. No widgets here."""
