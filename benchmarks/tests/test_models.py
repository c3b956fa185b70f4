"""Losses and gradients: of each program against the others, and against differences."""

import numpy as np
import pytest

import tiny
from peers import models_jax, models_torch
from peers.data import Population, compress, dense
from peers.models_numpy import population_gradient
from peers.problem import Model
from peers.solvers import SolverError
from peers.worker import all_gradients, all_models, compare


def slow_loss(model: Model, x: np.ndarray, theta: np.ndarray) -> float:
    """Return L as its definition says, one position at a time."""
    c, w, a = model.parts(theta).values()
    sigma = np.exp(w) / np.exp(w).sum(-1, keepdims=True)
    eye, end, total = np.eye(model.vocabulary), x.shape[1] - 1, 0.0
    for row in x:
        copied = {
            position: [sum(s[m] * eye[row[position - 1 - m]] for m in range(model.window)) for s in sigma]
            for position in range(model.window, end + 1)
        }
        weights, y = [], np.zeros(model.vocabulary)
        for position in range(model.window, end):
            g = [u @ v for u, v in zip(copied[position], copied[end])]
            k = sum(c_s**2 * np.prod([g[h] for h in s]) for c_s, s in zip(c, model.subsets))
            weights.append(np.exp(a * k / np.sum(c**2)))
            y += weights[-1] * eye[row[position]]
        total -= np.log(y[row[end]] / sum(weights) + model.floor)
    return total / len(x)


@pytest.mark.parametrize(
    ("vocabulary", "window", "heads", "degree", "scale"), [(3, 3, 3, 2, 0.01), (2, 4, 3, 3, 5.0)]
)
def test_all_gradients_agree(vocabulary: int, window: int, heads: int, degree: int, scale: float) -> None:
    model = tiny.model(vocabulary=vocabulary, window=window, heads=heads, degree=degree)
    x, theta = tiny.tokens(model), tiny.start(model, scale=scale)
    found = all_gradients(model, *all_models(model, x), theta)
    expected = slow_loss(model, x, theta)
    reference = found["JAX compressed"][1]
    for name, (loss, slope) in found.items():
        assert loss == pytest.approx(expected, abs=1e-13), name
        assert np.abs(slope - reference).max() <= 1e-12 * np.abs(reference).max(), name


def test_gradients_are_derivatives() -> None:
    model = tiny.model()
    x, theta = tiny.tokens(model), tiny.start(model)
    _, slope = all_gradients(model, *all_models(model, x), theta)["JAX compressed"]
    step = 1e-5  # error of central differences: step² from truncation, 1e-16/step from rounding
    for i in range(model.size):
        shift = np.eye(model.size)[i] * step
        difference = slow_loss(model, x, theta + shift) - slow_loss(model, x, theta - shift)
        assert slope[i] == pytest.approx(difference / (2 * step), abs=1e-9)


def test_population_gradient_is_the_derivative() -> None:
    model = tiny.model(window=2, heads=2)
    random = np.random.default_rng(3)
    windows = np.eye(3)[np.array([[i % 3, i // 3] for i in range(9)])]
    joint = random.dirichlet(np.ones(27), 4).reshape(4, 3, 9)
    population, theta = Population(joint, windows), tiny.start(model)
    loss, slope = population_gradient(model, population, theta)
    assert loss == pytest.approx(slow_population_loss(model, population, theta), abs=1e-13)
    step = 1e-5
    for i in range(model.size):
        shift = np.eye(model.size)[i] * step
        above = slow_population_loss(model, population, theta + shift)
        below = slow_population_loss(model, population, theta - shift)
        assert slope[i] == pytest.approx((above - below) / (2 * step), abs=1e-9)


def slow_population_loss(model: Model, population: Population, theta: np.ndarray) -> float:
    """Return L as its definition says, one chain and one query at a time."""
    c, w, a = model.parts(theta).values()
    sigma = np.exp(w) / np.exp(w).sum(-1, keepdims=True)
    v = [[s @ window for s in sigma] for window in population.windows]
    total = 0.0
    for law in population.joint:
        for q, query in enumerate(v):
            t = np.zeros(model.vocabulary)
            for o, window in enumerate(v):
                g = [x @ y for x, y in zip(window, query)]
                k = sum(c_s**2 * np.prod([g[h] for h in s]) for c_s, s in zip(c, model.subsets))
                t += law[:, o] * np.exp(a * k / np.sum(c**2))
            total -= law[:, q] @ np.log(t / t.sum() + model.floor)
    return total / len(population.joint)


def test_a_wrong_gradient_is_noticed(run_folder) -> None:
    from peers.problem import read_problem, read_trajectory

    problem = read_problem(run_folder)
    trajectory = read_trajectory(run_folder, problem)
    found = all_gradients(
        problem.model, *all_models(problem.model, tiny.tokens(problem.model)), problem.start
    )
    worst = {"loss": 0.0, "gradient": 0.0, "norm": 0.0}
    compare(problem, trajectory, (0, 0), found, "here", worst)
    assert max(worst.values()) < 1e-12
    loss, slope = found["PyTorch dense"]
    wrong = slope.copy()
    wrong[3] += 1e-9 * np.abs(slope).max()
    with pytest.raises(SolverError, match=r"PyTorch dense: gradient is off by 1\.0e-09 at here"):
        compare(problem, trajectory, (0, 0), found | {"PyTorch dense": (loss, wrong)}, "here", worst)
    with pytest.raises(SolverError, match="PyTorch dense: loss is off"):
        compare(problem, trajectory, (0, 0), found | {"PyTorch dense": (loss + 1e-11, slope)}, "here", worst)
    halved = {name: (loss, slope / 2) for name, (loss, slope) in found.items()}
    with pytest.raises(SolverError, match="norm is off"):
        compare(problem, trajectory, (0, 0), halved, "here", worst)
