"""ZeroTier: a node's own API, its files and state, and the keepers of a network."""
