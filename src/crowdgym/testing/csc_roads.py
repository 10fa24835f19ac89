"""Shortest paths for the checker, by SciPy's Dijkstra: not the package's own."""

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from crowdgym.testing.csc_records import CheckedInstance, FloatArray


class Roads:
    """Distances to the nodes of the tasks, and the path of the specification with its rule for ties."""

    def __init__(self, instance: CheckedInstance) -> None:
        self._instance = instance
        size = (instance.num_nodes, instance.num_nodes)
        # Whole numbers below 2**53 in float64: exact, however they are added up.
        arcs = (instance.length.astype(np.float64), instance.indices.astype(np.int32), instance.indptr.astype(np.int32))
        backwards = csr_array(arcs, shape=size).T.tocsr()
        goals, self._row_of_task = np.unique(instance.task_node, return_inverse=True)
        self._rows = np.atleast_2d(dijkstra(backwards, indices=goals))  # [G, N] units from each node to each goal

    def units_to(self, task: int) -> FloatArray:
        """Distances from every node to the task, in units of length; infinite where there is no way. [N]."""
        row: FloatArray = self._rows[self._row_of_task[task]]
        return row

    def units_from(self, node: int) -> FloatArray:
        """Distances from the node to every task, in units of length. [T]."""
        column: FloatArray = self._rows[self._row_of_task, node]
        return column

    def distance_m(self, node: int, task: int) -> float:
        """The length of the shortest path from the node to the task, in metres."""
        return float(self.units_to(task)[node]) * self._instance.unit_m

    def path(self, node: int, task: int) -> tuple[list[int], list[float]]:
        """The nodes from ``node`` to the task's, and the metres from ``node`` to each; there must be a way."""
        instance, units = self._instance, self.units_to(task)
        nodes = [node]
        while nodes[-1] != instance.task_node[task]:
            arcs = slice(instance.indptr[nodes[-1]], instance.indptr[nodes[-1] + 1])
            heads = instance.indices[arcs]
            through = instance.length[arcs] + units[heads]
            nodes.append(int(heads[through == through.min()].min()))
        return nodes, [float(units[node] - units[there]) * instance.unit_m for there in nodes]

    def on_a_shortest_path(self, node: int, between: int, task: int) -> bool:
        """Whether some shortest path from ``node`` to the task leads through ``between``."""
        instance, units = self._instance, self.units_to(task)
        reached = {node}
        front = [node]
        while front:
            here = front.pop()
            for arc in range(instance.indptr[here], instance.indptr[here + 1]):
                head = int(instance.indices[arc])
                if head not in reached and instance.length[arc] + units[head] == units[here]:
                    reached.add(head)
                    front.append(head)
        return between in reached
