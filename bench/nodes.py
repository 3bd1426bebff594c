# SPDX-License-Identifier: Apache-2.0
"""What the systems that are measured have in common."""


class Nodes:
    """Those in `nodes`, as one system: `with` starts them."""

    @property
    def address(self):
        return self.nodes[0].address

    @property
    def pids(self):
        return [node.process.pid for node in self.nodes]

    def __enter__(self):
        for node in self.nodes:
            node.format()
        for node in self.nodes:
            node.start()
        for node in self.nodes:
            node.await_ready()
        return self
