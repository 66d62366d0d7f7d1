"""The composition root: settings and a decision table become a running gateway.

    Gateway       the data plane in one event loop
    running       one gateway and its admin port in this event loop: the demo, tests
    serve         the whole thing as a service: a supervisor, its nursery, its workers
    load_table    the decision table of the settings' catalogues and policy; `read_sources` its files

Everything that has to be put together is put together here, once, and nowhere else; nothing
below knows where its neighbours come from.
"""

from gateway.app.gateway import Gateway, load_table, read_sources
from gateway.app.local import running
from gateway.app.serve import serve

__all__ = ["Gateway", "load_table", "read_sources", "running", "serve"]
