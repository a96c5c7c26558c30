"""Templates that people write: compiled once, filled in often, bounded in everything they do.

People who are not trusted write them, so what a template may do is listed and nothing else is
there: no calls, no attributes of Python objects, no endless loops, no value that grows for ever.
The bounds count work and not seconds, so that a preview and the mail itself come out the same.
"""
