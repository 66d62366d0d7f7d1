"""A Genesys Cloud Platform API that fits in a test and in a demo.

It serves the resources that the integrations of the sample roles call, in the shapes that the
official SDKs parse: paged listings, ids as GUIDs, divisions, `selfUri`, errors as `ErrorBody`. It
issues tokens for client credentials and asks for one with every call, remembers every request, and
can be told to be slow, rude or dead, as the stand-in UCS can.

    async with running_platform(PlatformConfig()) as platform:
        ...                                 # log in and call at platform.url
        platform.received.requests          # what arrived there

It enforces nothing of roles, divisions or scopes: whoever has a token may do everything. A
gateway in front that lets something through by mistake is found out here.
"""

from gateway.standin.platform.app import create_platform, running_platform
from gateway.standin.platform.config import OAuthClient, PlatformConfig

__all__ = ["OAuthClient", "PlatformConfig", "create_platform", "running_platform"]
