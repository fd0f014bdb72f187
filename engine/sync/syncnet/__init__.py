"""SyncNet v2 and StableSyncNet, for users who have their files: a second opinion beside the program's own detector.

Only the engine's process imports the networks: they need torch.
"""
