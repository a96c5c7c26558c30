"""One file per command of `drumbeat`, found by its name.

A file has either `run`, a function that typer can read, or `app`, a Typer with commands of its own.
It may import whatever it needs at the top: only the file of the wanted command is loaded.
"""
