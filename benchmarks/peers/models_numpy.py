"""The loss in infinite context, in NumPy: two matrix products per gradient."""

from __future__ import annotations

import numpy as np

from .data import Population
from .problem import Model


def population_gradient(model: Model, population: Population, theta: np.ndarray) -> tuple[float, np.ndarray]:
    """Return L = −(1/K) Σ_π Σ_{q,e} μ(q,e) log(y_e + ε) and ∇L (P).

    y_e = T_e/Σ_e T_e with T = μ(e, ω) e^{ak(ω,q)}, shape (K·d, W): a matrix product; the adjoint is
    another one. ε = 0 needs laws without zeros.
    """
    joint, one_hot = population.joint, population.windows
    chains, d, count = joint.shape
    rows = joint.reshape(chains * d, count)
    c, w, a = model.parts(theta).values()

    sigma = np.exp(w - w.max(-1, keepdims=True))
    sigma /= sigma.sum(-1, keepdims=True)
    v = np.einsum("hm,wmd->hwd", sigma, one_hot)
    g = v @ v.transpose(0, 2, 1)  # (H, ω, q), symmetric
    total = np.sum(c**2)
    products = [np.prod(g[list(s)], axis=0) for s in model.subsets]
    k = np.tensordot(c**2 / total, products, 1)
    power = np.exp(a * (k - k.max()))

    sums = (rows @ power).reshape(chains, d, count)  # T_e, by query
    norm = sums.sum(1, keepdims=True)
    y = np.divide(sums, norm, out=sums)
    floored = y + model.floor
    loss = -np.vdot(joint, np.log(floored)) / chains

    # ∂L/∂T_e = (f_e − Σ f y)/Z with f_e = −μ(q,e)/(y_e + ε)/K
    f = np.divide(joint, floored, out=floored)
    f -= np.einsum("kdq,kdq->kq", f, y)[:, None]
    f /= norm
    adjoint = (rows.T @ f.reshape(chains * d, count)) * power  # ∂L/∂(ak), up to −1/K
    adjoint *= -1 / chains

    a_bar = np.vdot(adjoint, k)
    adjoint *= a
    inner = np.array([np.vdot(adjoint, product) for product in products])
    c_bar = 2 * c / total * (inner - np.dot(c**2, inner) / total)
    g_bar = np.zeros_like(g)
    for share, s in zip(c**2 / total, model.subsets):
        for head in s:
            others = np.prod(g[[h for h in s if h != head]], axis=0)
            g_bar[head] += share * adjoint * others
    v_bar = (g_bar + g_bar.transpose(0, 2, 1)) @ v
    sigma_bar = np.einsum("hwd,wmd->hm", v_bar, one_hot)
    w_bar = sigma * (sigma_bar - np.sum(sigma * sigma_bar, -1, keepdims=True))
    return float(loss), np.concatenate([c_bar, w_bar.ravel(), [a_bar]])
