"""Where sockets and bytes meet on the data plane.

Both sides of the proxy share one shape: a protocol object that only *collects* (bytes in, end of
stream, loss, expiry), and one coroutine per client connection that *pulls*. Nothing is parsed
until it is asked for, so a peer that sends faster than we answer fills a bounded buffer and is
then not read from.
"""
