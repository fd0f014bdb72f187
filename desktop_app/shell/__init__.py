"""What the main window is made of besides its panels: commands, files coming in, menus, notices, and its own place."""
