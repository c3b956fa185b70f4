"""The copying stage of the sampled three-stage run, written a second time.

Shares no code and no data with gradflow: NumPy draws the chains (Dirichlet rows in log space,
stationary law by Grassmann-Taksar-Heyman) and the sequences, the gradient is a dense sum over all
positions, and SciPy's LSODA integrates w for the two heads of S* = {1, 2} with p_S* = 1.

    python copying_stage.py [SEED]        needs numpy and scipy; about a minute

Prints 1 - sigma on the own lags of heads 1 and 2 after t = 1e5. `PaperRunTests` holds gradflow
against what it printed for seed 1: 2.59e-3 and 2.15e-3.
"""

import sys

import numpy as np
from scipy.integrate import solve_ivp

N, L, D, ALPHA, SCALE, FLOOR = 10_000, 100, 3, 0.1, 0.01, 1e-6


def draw_kernels(rng: np.random.Generator) -> np.ndarray:
    """N kernels, rows by (last token, token before it): shape (N, 9, 3)."""
    shape = (N, D * D, D)
    rows = np.log(rng.gamma(ALPHA + 1, size=shape)) + np.log(rng.random(shape)) / ALPHA
    rows = np.exp(rows - rows.max(-1, keepdims=True))
    return rows / rows.sum(-1, keepdims=True)


def stationary(kernels: np.ndarray) -> np.ndarray:
    """The law of (last token, token before it), by elimination: shape (N, 9)."""
    states = D * D
    a = np.zeros((N, states, states))
    for last in range(D):
        for before in range(D):
            for token in range(D):
                a[:, last * D + before, token * D + last] += kernels[:, last * D + before, token]
    for k in range(states - 1, 0, -1):
        a[:, :k, k] /= a[:, k, :k].sum(-1)[:, None]
        a[:, :k, :k] += a[:, :k, k][:, :, None] * a[:, k, :k][:, None, :]
    law = np.zeros((N, states))
    law[:, 0] = 1
    for k in range(1, states):
        law[:, k] = (law[:, :k] * a[:, :k, k]).sum(-1)
    return law / law.sum(-1, keepdims=True)


def draw_sequences(rng: np.random.Generator) -> np.ndarray:
    """N sequences of L tokens and the target: shape (N, L + 1)."""
    kernels = draw_kernels(rng)
    start = (stationary(kernels).cumsum(-1) > rng.random((N, 1))).argmax(-1)
    x = np.zeros((N, L + 1), int)
    x[:, 0], x[:, 1] = start % D, start // D
    for t in range(2, L + 1):
        rows = kernels[np.arange(N), x[:, t - 1] * D + x[:, t - 2]].cumsum(-1)
        x[:, t] = (rows > rng.random((N, 1)) * rows[:, -1:]).argmax(-1)
    return x


def main() -> None:
    x = draw_sequences(np.random.default_rng(int(sys.argv[1]) if len(sys.argv) > 1 else 1))
    one_hot = np.eye(D)[x]
    positions = np.arange(4, L + 1)  # from 1; the first with a full window of three
    keys = np.stack([one_hot[:, positions - 1 - lag] for lag in (1, 2, 3)], 2)
    query = np.stack([one_hot[:, L - lag] for lag in (1, 2, 3)], 1)
    match = np.einsum("npie,nje->npij", keys, query)
    hit = (one_hot[:, positions - 1] * one_hot[:, L][:, None]).sum(-1)

    def flow(_: float, weights: np.ndarray) -> np.ndarray:
        w = weights.reshape(2, 3)
        sigma = np.exp(w - w.max(-1, keepdims=True))
        sigma /= sigma.sum(-1, keepdims=True)
        right = [match @ s for s in sigma]
        left = [np.swapaxes(match, 2, 3) @ s for s in sigma]
        g = [r @ s for r, s in zip(right, sigma)]
        power = np.exp(SCALE * g[0] * g[1])
        total = power.sum(1)
        y = (power * hit).sum(1) / total
        adjoint = -power * (hit - y[:, None]) / ((y + FLOOR) * total)[:, None] / N
        change = np.zeros((2, 3))
        for h in range(2):
            slope = np.einsum("np,npi->i", SCALE * adjoint * g[1 - h], right[h] + left[h])
            change[h] = -sigma[h] * (slope - sigma[h] @ slope)
        return change.ravel()

    end = solve_ivp(
        flow, (0, 1e5), [3, 0, 0, 0, 3, 0], method="LSODA", rtol=1e-6, atol=1e-8
    ).y[:, -1]
    sigma = np.exp(end.reshape(2, 3))
    sigma /= sigma.sum(-1, keepdims=True)
    print(f"1 - sigma: {1 - sigma[0, 0]:.4e} {1 - sigma[1, 1]:.4e}")


if __name__ == "__main__":
    main()
