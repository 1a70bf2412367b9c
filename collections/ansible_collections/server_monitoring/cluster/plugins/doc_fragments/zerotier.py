"""Options that several ZeroTier modules take; their arguments: module_utils/zerotier/module.py."""


class ModuleDocFragment:
    """The fragments, each by the name that modules extend: zerotier.home, zerotier.node."""

    HOME = r"""
options:
  home:
    description: Home directory of the service.
    type: path
    default: /var/lib/zerotier-one
"""
    NODE = r"""
options:
  node:
    description: This machine's name for messages.
    type: str
    required: true
"""
    CONTROLLER = r"""
options:
  controller:
    description: Who keeps the network.
    type: dict
    suboptions:
      backend:
        description: This machine's own controller, or ZeroTier Central.
        type: str
        choices: [controller, central]
        default: controller
      home:
        description: Home directory of the service that is the controller.
        type: path
        default: /var/lib/zerotier-one
      token:
        description: API token of ZeroTier Central. It is shown nowhere.
        type: str
        default: ""
      url:
        description: Address of Central's API; empty for the public one.
        type: str
        default: ""
      ca_file:
        description: Certificates to trust for that address; empty for the machine's own.
        type: str
        default: ""
      timeout:
        description: How long Central may refuse or fail before the module does, in seconds.
        type: int
        default: 60
"""
