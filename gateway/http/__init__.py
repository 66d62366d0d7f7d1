"""HTTP as bytes and values: no sockets, no clock, no event loop.

Everything here is a plain function or a frozen value that a test can call with literals. What is
accepted has exactly one spelling; what can be read in two ways is refused.
"""
