"""The engine at arm's length: a child process that works, and jobs that say how it goes."""
