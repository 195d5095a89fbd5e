"""Functions: which one to call, with what, and how to tell its output.

`decision` chooses the function, `grounding` narrows its schema to what was said, `arguments` fills it in.
"""
