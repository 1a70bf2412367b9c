"""Options that the Kafka modules share; their arguments: module_utils/kafka/module.py."""


class ModuleDocFragment:
    """The one fragment: how a cluster is reached to administrate it."""

    DOCUMENTATION = r"""
options:
  bootstrap_servers:
    description: Brokers, as C(address:port); of the listener with mutual TLS where there is one.
    type: list
    elements: str
  admin_properties:
    description: >-
      Kafka's own file with C(ssl.keystore.location) and C(ssl.truststore.location), both PEM, for
      mutual TLS: who to be, and whom to trust.
    type: path
  declarations_only:
    description: Only check the declarations, without a broker.
    type: bool
    default: false
  timeout:
    description: Seconds to wait for a broker, and for the brokers to have taken a change over.
    type: int
    default: 20
"""
