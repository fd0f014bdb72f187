"""LiveAvatar: Wan2.2-S2V 14B with a LoRA that needs four steps, block by block, as long as the voice lasts."""
