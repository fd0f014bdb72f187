"""Speed and memory, printed as tables against a baseline of the same run; nothing here fails a build.

Each module has a ``main()`` that prints its tables. ``make bench`` runs all of them,
``python -m tests.benchmarks sync media`` some.
"""
