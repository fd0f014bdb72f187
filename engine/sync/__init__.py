"""Sync: how far sound and lips are apart, why, and how sure that is."""
