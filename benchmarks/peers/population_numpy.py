"""Time of one gradient in infinite context in NumPy, without gradflow: laws drawn at random.

    OPENBLAS_NUM_THREADS=2 python -m peers.population_numpy [--chains 1000 --window 5 …]

prints the median in milliseconds, to set beside ``flow-benchmarks gradient --chains 1000 --window 5``.
The work does not depend on the values of the laws.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time

import numpy as np

from .data import Population
from .models_numpy import population_gradient
from .problem import Model


def main() -> None:
    """Draw a population, time its gradients and print the median."""
    parser = argparse.ArgumentParser(description="The median milliseconds of a NumPy gradient.")
    for name, value in {"chains": 1000, "vocabulary": 3, "window": 5, "heads": 3, "degree": 2}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--repetitions", type=int, default=21)
    options = parser.parse_args()
    model, population, theta = _problem(options)
    population_gradient(model, population, theta)
    times = []
    for _ in range(options.repetitions):
        begin = time.perf_counter()
        population_gradient(model, population, theta)
        times.append(1e3 * (time.perf_counter() - begin))
    print(f"{statistics.median(times):.4f}")


def _problem(options: argparse.Namespace) -> tuple[Model, Population, np.ndarray]:
    """Return the model, laws drawn from a flat Dirichlet distribution, and the θ of flow-benchmarks."""
    d, lags, heads = options.vocabulary, options.window, options.heads
    subsets = [s for n in range(1, options.degree + 1) for s in itertools.combinations(range(heads), n)]
    count = d**lags
    joint = np.random.default_rng(1).dirichlet(np.ones(d * count), size=options.chains)
    digits = np.arange(count)[:, None] // d ** np.arange(lags) % d
    model = Model(vocabulary=d, window=lags, heads=heads, subsets=tuple(subsets), floor=1e-6)
    population = Population(joint.reshape(options.chains, d, count), np.eye(d)[digits])
    c = np.full(len(subsets), len(subsets) ** -0.5)
    return model, population, np.concatenate([c, 3 * np.eye(heads, lags).ravel(), [1.0]])


if __name__ == "__main__":
    main()
