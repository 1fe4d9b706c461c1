"""Linear algebra over (max, +): the mathematics of things that wait for one another.

A line whose steps repeat obeys x(k+1) = A (x) x(k): the next time of event i is the latest of A[i, j] + x_j(k). Its
cycle time is the eigenvalue of A, which is the greatest mean weight of a circuit, and the circuit that has it is the
bottleneck. -inf stands for "does not wait". F. Baccelli, G. Cohen, G. J. Olsder, J.-P. Quadrat, "Synchronization and
Linearity", Wiley 1992, chapters 2 and 3.

All matrices have shape (n, n), seconds where they describe a line; A[i, j] is the weight of the arc from j to i.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from cellctl.plan.errors import BadPlan, PositiveCircuit

Array = npt.NDArray[np.float64]

NEVER = -np.inf
KARP_UP_TO = 200  # nodes; beyond it Howard's method is faster (measured: 4 times at 500)
ROUNDING = 1e-13  # of the greatest weight times the number of nodes: what counts as equal


@dataclass(frozen=True, slots=True)
class CycleMean:
    """The greatest mean weight of a circuit, and the nodes of a circuit that has it, in the order of its arcs.

    Without any circuit the value is -inf and the circuit empty.
    """

    value: float
    circuit: tuple[int, ...]


def product(A: npt.ArrayLike, B: npt.ArrayLike) -> Array:
    """(A (x) B)[i, j] = max over k of A[i, k] + B[k, j]; shapes (m, n) and (n, p) or (n,)."""
    A, B = np.asarray(A, float), np.asarray(B, float)
    columns = B[:, None] if B.ndim == 1 else B
    rows = [np.max(row[:, None] + columns, axis=0, initial=NEVER) for row in A]
    result = np.array(rows).reshape(len(A), columns.shape[1])
    return result[:, 0] if B.ndim == 1 else result


def star(A: npt.ArrayLike) -> Array:
    """The Kleene star I (+) A (+) A^2 (+) ...: the heaviest way from j to i, by Floyd and Warshall.

    Raises:
        PositiveCircuit: a circuit has a positive weight, so that no heaviest way exists.
    """
    ways = _square(A).copy()
    tolerance = ROUNDING * _scale(ways)
    diagonal = np.arange(len(ways))
    ways[diagonal, diagonal] = np.maximum(ways[diagonal, diagonal], 0.0)
    for k in range(len(ways)):
        np.maximum(ways, ways[:, k, None] + ways[None, k, :], out=ways)
        if ways[k, k] > tolerance:
            raise PositiveCircuit(k)
    return ways


def eigenvalue(A: npt.ArrayLike) -> float:
    """The greatest mean weight of a circuit, -inf if there is none; Karp's method or Howard's, by the size."""
    A = _square(A)
    return karp(A) if len(A) <= KARP_UP_TO else howard(A).value


def critical_circuit(A: npt.ArrayLike) -> CycleMean:
    """The circuit that sets the pace, with its mean."""
    return howard(A)


def eigenvector(A: npt.ArrayLike) -> Array:
    """Event times v, shape (n,) [s], with A (x) v = eigenvalue + v: a timetable that repeats exactly.

    The greatest entry is 0. Entries are -inf for events that the critical circuit does not reach.

    Raises:
        BadPlan: the matrix has no circuit, so nothing repeats.
    """
    A = _square(A)
    critical = howard(A)
    if not critical.circuit:
        raise BadPlan("max-plus matrix", "no circuit, therefore no eigenvector")
    column = star(A - critical.value)[:, critical.circuit[0]]
    return np.asarray(column - np.max(column))


def karp(A: npt.ArrayLike) -> float:
    """Greatest cycle mean by R. M. Karp, Discrete Mathematics 23 (1978) 309-311: exact, n^3 steps.

    The walks of k arcs may begin anywhere, so the graph need not be strongly connected.
    """
    A = _square(A)
    n = len(A)
    walks = np.zeros((n + 1, n))  # heaviest walk of so many arcs that ends here
    for k in range(n):
        walks[k + 1] = np.max(A + walks[k], axis=1, initial=NEVER)
    ends = np.isfinite(walks[n])
    if not np.any(ends):
        return NEVER
    lengths = (n - np.arange(n))[:, None]
    means = (walks[n, ends] - walks[:n, ends]) / lengths  # +inf where no shorter walk ends here
    return float(np.max(np.min(means, axis=0)))


def howard(A: npt.ArrayLike) -> CycleMean:
    """Greatest cycle mean and its circuit by policy iteration, component by component.

    J. Cochet-Terrasson, G. Cohen, S. Gaubert, M. McGettrick, J.-P. Quadrat, "Numerical computation of spectral
    elements in max-plus algebra", IFAC Conference on System Structure and Control, 1998.
    """
    A = _square(A)
    _, label = connected_components(csr_array(np.isfinite(A)), directed=True, connection="strong")
    best = CycleMean(NEVER, ())
    for component in range(int(label.max()) + 1):
        nodes = np.flatnonzero(label == component)
        inside = A[np.ix_(nodes, nodes)]
        if not np.any(np.isfinite(inside)):
            continue
        found = _howard_connected(inside)
        if found.value > best.value:
            best = CycleMean(found.value, tuple(int(nodes[i]) for i in found.circuit))
    return best


def _howard_connected(A: Array) -> CycleMean:
    """Policy iteration on a strongly connected graph; each node's policy is the arc it waits for."""
    tolerance = ROUNDING * _scale(A)
    n = len(A)
    policy = np.argmax(A, axis=1)
    while True:
        circuit = _best_circuit_of(policy, A)
        bias = _bias(policy, A, circuit)
        candidates = A + bias
        better = np.argmax(candidates, axis=1)
        gain = candidates[np.arange(n), better] - circuit.value - bias
        if np.all(gain <= tolerance):
            return circuit
        policy = np.where(gain > tolerance, better, policy)


def _best_circuit_of(policy: npt.NDArray[np.intp], A: Array) -> CycleMean:
    """The best circuit of the graph in which each node has only its policy's arc."""
    best = CycleMean(NEVER, ())
    colour = np.full(len(policy), -1)
    for start in range(len(policy)):
        way, node = [], start
        while colour[node] < 0:
            colour[node] = start
            way.append(node)
            node = int(policy[node])
        if colour[node] != start:
            continue
        waits = way[way.index(node) :]  # each waits for the next: the reverse of the arcs
        mean = float(np.mean(A[waits, policy[waits]]))
        if mean > best.value:
            best = CycleMean(mean, tuple(reversed(waits)))
    return best


def _bias(policy: npt.NDArray[np.intp], A: Array, circuit: CycleMean) -> Array:
    """Relative times when every node waits as the policy says, or, where that leads elsewhere, by the shortest way.

    A breadth-first search backwards from the circuit: policy arcs first, so that the bias is exact on the policy's
    own tree, then any arc, which changes the policy of the nodes that did not lead to the circuit.
    """
    n = len(policy)
    root = circuit.circuit[0]
    bias = np.full(n, np.nan)
    bias[root] = 0.0
    frontier = [root]
    while frontier:
        reached = frontier.pop()
        for follower in np.flatnonzero((policy == reached) & np.isnan(bias)):
            bias[follower] = A[follower, reached] - circuit.value + bias[reached]
            frontier.append(int(follower))
        if not frontier and np.any(np.isnan(bias)):
            outside = np.flatnonzero(np.isnan(bias))
            arcs = A[outside] + np.where(np.isnan(bias), NEVER, bias)
            row = int(np.argmax(np.max(arcs, axis=1)))
            node, policy[outside[row]] = int(outside[row]), int(np.argmax(arcs[row]))
            bias[node] = arcs[row].max() - circuit.value
            frontier.append(node)
    return bias


def _square(A: npt.ArrayLike) -> Array:
    A = np.asarray(A, float)
    if A.ndim != 2 or A.shape[0] != A.shape[1] or not len(A):
        raise BadPlan("max-plus matrix", f"shape {A.shape}", "it must be square and not empty")
    if np.any(np.isnan(A)) or np.any(np.inf == A):
        raise BadPlan("max-plus matrix", "an entry is NaN or +inf", "write -inf where nothing waits")
    return A


def _scale(A: Array) -> float:
    finite = A[np.isfinite(A)]
    return max(1.0, float(np.max(np.abs(finite)))) * len(A) if finite.size else 1.0
