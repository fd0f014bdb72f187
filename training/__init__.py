"""How the sync model in ``resources/sync`` is made and how well it does; needs PyTorch, the program itself does not."""
