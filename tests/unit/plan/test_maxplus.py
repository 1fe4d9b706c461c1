"""Max-plus algebra against the textbook, against all circuits, and one method against the other."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cellctl.plan.errors import BadPlan, PositiveCircuit
from cellctl.plan.maxplus import NEVER, critical_circuit, eigenvalue, eigenvector, howard, karp, product, star

weights = st.one_of(st.just(NEVER), st.integers(-20, 20).map(float))
matrices = st.integers(1, 5).flatmap(lambda n: arrays(float, (n, n), elements=weights))


def mean_of(A, circuit) -> float:
    """Mean weight of a circuit given in the order of its arcs: A[i, j] is the arc from j to i."""
    following = circuit[1:] + circuit[:1]
    return sum(A[i, j] for j, i in zip(circuit, following, strict=True)) / len(circuit)


def best_by_enumeration(A) -> float:
    n = len(A)
    circuits = (c for size in range(1, n + 1) for c in permutations(range(n), size) if c[0] == min(c))
    return max(mean_of(A, c) for c in circuits)


def test_the_textbook_example_has_its_eigenvalue_and_eigenvector():
    # B. Heidergott, G. J. Olsder, J. van der Woude, "Max Plus at Work", Princeton 2006, section 2.1
    A = [[3, 7], [2, 4]]
    assert eigenvalue(A) == 4.5
    v = eigenvector(A)
    assert v[0] - v[1] == 2.5


@settings(max_examples=150, deadline=None)
@given(matrices)
def test_both_methods_find_the_best_of_all_elementary_circuits(A):
    best = best_by_enumeration(A)
    assert karp(A) == pytest.approx(best, abs=1e-12)
    found = howard(A)
    assert found.value == pytest.approx(best, abs=1e-12)
    if found.circuit:
        assert mean_of(A, found.circuit) == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("density", [0.02, 0.2, 1.0])
def test_karp_and_howard_agree_on_large_matrices(density):
    generator = np.random.default_rng(7)
    A = generator.uniform(0.0, 100.0, (150, 150))
    A[generator.random(A.shape) > density] = NEVER
    assert karp(A) == pytest.approx(howard(A).value, rel=1e-12)


def test_a_large_matrix_is_given_to_howard_and_a_small_one_to_karp(monkeypatch):
    def never(A):
        raise AssertionError("the other method should have been taken")

    small, large = np.zeros((200, 200)), np.zeros((201, 201))
    monkeypatch.setattr("cellctl.plan.maxplus.howard", never)
    assert eigenvalue(small) == 0.0
    monkeypatch.undo()
    monkeypatch.setattr("cellctl.plan.maxplus.karp", never)
    assert eigenvalue(large) == 0.0


@settings(max_examples=100, deadline=None)
@given(matrices)
def test_an_eigenvector_is_a_timetable_that_repeats(A):
    if eigenvalue(A) == NEVER:
        with pytest.raises(BadPlan, match="no circuit"):
            eigenvector(A)
        return
    v = eigenvector(A)
    reached = np.isfinite(v)
    again = product(A, v)
    assert v.max() == 0.0
    assert again[reached] == pytest.approx(eigenvalue(A) + v[reached], abs=1e-9)
    assert np.all(again[~reached] == NEVER)


def test_the_eigenvalue_is_the_pace_of_the_recursion():
    A = np.random.default_rng(3).uniform(0.0, 10.0, (6, 6))
    x = np.zeros(6)
    for _ in range(400):
        x = product(A, x)
    assert x.max() / 400 == pytest.approx(eigenvalue(A), rel=0.01)


def test_the_star_is_the_heaviest_way_and_a_positive_circuit_has_none():
    A = [[NEVER, -5.0, NEVER], [3.0, NEVER, NEVER], [1.0, 4.0, NEVER]]
    assert star(A).tolist() == [[0.0, -5.0, NEVER], [3.0, 0.0, NEVER], [7.0, 4.0, 0.0]]
    with pytest.raises(PositiveCircuit, match="circuit through node"):
        star([[NEVER, 1.0], [0.5, NEVER]])


def test_without_a_circuit_nothing_repeats():
    chain = [[NEVER, NEVER], [5.0, NEVER]]
    assert eigenvalue(chain) == NEVER
    assert critical_circuit(chain).circuit == ()


@pytest.mark.parametrize("A", [[[1.0, 2.0]], [[float("nan")]], [[float("inf")]], np.empty((0, 0))])
def test_what_is_no_max_plus_matrix_is_refused(A):
    with pytest.raises(BadPlan, match="max-plus matrix"):
        eigenvalue(A)
