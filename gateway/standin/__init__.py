"""A Universal Contact Server that fits in a test and in a demo.

It serves the Customer Profile API of UCS 8.5 and the services, states and tasks of GMS well
enough to be believed, remembers every request it received, and can be told to be slow, rude or
dead. It knows nothing of the gateway in front of it, nor of any policy.

    async with running(StandinConfig()) as standin:
        ...                                 # call standin.url
        standin.received.requests           # what arrived there
        standin.behave(Behaviour(manner=Manner.TRUNCATED, requests=1))

Over HTTP the same is under `/_standin/received` and `/_standin/behaviour`. Where the manual is
silent, the stand-in takes the reading that a careless gateway would trip over: names in any case,
repeated parameters, repeated JSON keys.
"""

from gateway.standin.app import create_app
from gateway.standin.behaviour import Behaviour, Manner
from gateway.standin.config import Credentials, StandinConfig
from gateway.standin.received import Receipt, Received
from gateway.standin.serve import Running, running, serve

__all__ = [
    "Behaviour",
    "Credentials",
    "Manner",
    "Receipt",
    "Received",
    "Running",
    "StandinConfig",
    "create_app",
    "running",
    "serve",
]
