"""The engines that come with the program: one package each, which offers ``backend()``; see the registry.

A module beside the packages serves several engines; no engine imports another.
"""
