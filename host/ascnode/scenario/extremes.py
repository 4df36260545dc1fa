"""The extremes of every satellite over a run, looked at once a slot."""

import numpy as np

from ascnode.scenario.nodes import Nodes


class Extremes:
    """Least charge, greatest temperatures, each (n,)."""

    def __init__(self, count: int) -> None:
        self.charge_min = np.full(count, np.inf)
        self.accelerator_max_k = np.zeros(count)
        self.radiator_max_k = np.zeros(count)

    def look(self, nodes: Nodes) -> None:
        """Takes the nodes as they are now."""
        state = nodes.fleet.state
        np.minimum(self.charge_min, nodes.fleet.charge, out=self.charge_min)
        np.maximum(self.accelerator_max_k, state.accelerator_k, out=self.accelerator_max_k)
        np.maximum(self.radiator_max_k, state.radiator_k, out=self.radiator_max_k)

    def of(self, node: int, nodes: Nodes) -> tuple[float, float, float, float]:
        """Least charge, charge at the end, greatest temperature of accelerator and radiator."""
        end = float(nodes.fleet.charge[node])
        values = (self.charge_min[node], end, self.accelerator_max_k[node], self.radiator_max_k[node])
        least, last, hot, warm = (round(float(value), 5) for value in values)
        return least, last, hot, warm
