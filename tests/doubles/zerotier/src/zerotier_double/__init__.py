"""A double of zerotier-one 1.14.1 for laboratories without ZeroTier's packages.

It answers as the real service answers (see the captures beside the sources) and carries traffic
over a VXLAN between its nodes. It offers no encryption and trusts its underlay: never use it on a
network that others can reach.
"""

PROTOCOL_VERSION = 12
