"""The engines that come with the program: one package each, which offers ``backend()``; see the registry."""
