"""The loss in JAX: over all windows, and over their counts."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import asdict

import jax
import jax.numpy as jnp
import numpy as np

from .data import CompressedCorpus, DenseCorpus
from .problem import Model, Problem, Trajectory

jax.config.update("jax_enable_x64", True)

#: Arrays of a corpus, by the names that its class gives them.
Arrays = dict[str, jax.Array]
#: L from c, w, a and the arrays of a corpus.
Loss = Callable[..., jax.Array]


def arrays(corpus: DenseCorpus | CompressedCorpus) -> Arrays:
    """Return the arrays of a corpus for JAX."""
    return {k: jnp.asarray(v) for k, v in asdict(corpus).items() if isinstance(v, np.ndarray)}


def kernel(model: Model, c: jax.Array, g: jax.Array) -> jax.Array:
    """Return k = Σ_S p_S ∏_{h∈S} g_h, p_S = c_S²/C_D, from g (H, …)."""
    share = c**2 / jnp.sum(c**2)
    products = (functools.reduce(jnp.multiply, [g[h] for h in s], 1.0) for s in model.subsets)
    return sum(p * product for p, product in zip(share, products))


def read_out(model: Model, c: jax.Array, a: jax.Array, g: jax.Array, hits: jax.Array) -> jax.Array:
    """Return L from g (H, N, positions)."""
    attention = jax.nn.softmax(a * kernel(model, c, g), -1)
    y = jnp.einsum("np,np->n", attention, hits)
    return -jnp.mean(jnp.log(y + model.floor))


def dense_loss(model: Model) -> Loss:
    """Return L over all positions.

    ⟨v_l^h, v_{L+1}^h⟩ is linear in the window at l, so σ and the query are contracted first, and the
    windows are read once: v itself is never written out (twice as fast as writing it out).
    """

    def loss(c: jax.Array, w: jax.Array, a: jax.Array, data: Arrays) -> jax.Array:
        sigma = jax.nn.softmax(w, -1)
        query = jnp.einsum("hm,nmd->nhd", sigma, data["queries"])
        probe = jnp.einsum("hm,nhd->nmdh", sigma, query)
        g = jnp.einsum("nmdp,nmdh->hnp", data["windows"], probe)
        return read_out(model, c, a, g, data["hits"])

    return loss


def plain_dense_loss(model: Model) -> Loss:
    """Return L over all positions, written line by line as the model is defined."""

    def loss(c: jax.Array, w: jax.Array, a: jax.Array, data: Arrays) -> jax.Array:
        sigma = jax.nn.softmax(w, -1)
        v = jnp.einsum("hm,nmdp->hnpd", sigma, data["windows"])
        query = jnp.einsum("hm,nmd->hnd", sigma, data["queries"])
        g = jnp.einsum("hnpd,hnd->hnp", v, query)
        return read_out(model, c, a, g, data["hits"])

    return loss


def compressed_loss(model: Model, constant: float) -> Loss:
    """Return L from counts, above a ``constant``: g for all pairs of windows, e^{ak} for those in use."""

    def loss(c: jax.Array, w: jax.Array, a: jax.Array, data: Arrays) -> jax.Array:
        v = jnp.einsum("hm,wmd->hwd", jax.nn.softmax(w, -1), data["windows"])
        k = kernel(model, c, jnp.einsum("hqd,hwd->hqw", v, v))
        logits = a * k[data["pair_query"], data["pair_window"]]
        powers = jnp.exp(logits - jax.lax.stop_gradient(jnp.max(logits)))[data["pair"]]
        sums = jax.ops.segment_sum(
            powers[:, None] * data["counts"],
            data["sequence"],
            data["weights"].shape[0],
            indices_are_sorted=True,
        )
        return constant - data["weights"] @ jnp.log(sums[:, 1] / sums[:, 0] + model.floor)

    return loss


def loss_and_arrays(model: Model, corpus: DenseCorpus | CompressedCorpus) -> tuple[Loss, Arrays]:
    """Return the loss over a corpus, and the arrays that it takes."""
    if isinstance(corpus, DenseCorpus):
        return dense_loss(model), arrays(corpus)
    return compressed_loss(model, corpus.constant), arrays(corpus)


def stage_loss(model: Model, loss: Loss, group: str) -> Loss:
    """Return L as a function of the flat ``group`` alone: (y, parts, arrays) → L.

    The other groups in ``parts`` are arguments, so that nothing is differentiated that stands still.
    """

    def function(y: jax.Array, parts: Arrays, data: Arrays) -> jax.Array:
        return loss(**{**parts, group: y.reshape(model.shapes[group])}, data=data)

    return function


def full_gradient(model: Model, loss: Loss, theta: np.ndarray, data: Arrays) -> tuple[float, np.ndarray]:
    """Return L and ∇L (P) with respect to all parameters."""
    parts = {name: jnp.asarray(part) for name, part in model.parts(theta).items()}
    function = jax.value_and_grad(lambda parts, data: loss(**parts, data=data))
    value, gradient = jax.jit(function)(parts, data)
    return float(value), np.concatenate([np.ravel(gradient[group]) for group in model.shapes])


def timed_gradient(model: Model, loss: Loss, theta: np.ndarray, data: Arrays) -> Callable[[], float]:
    """Return a function that forms L and ∇L with respect to all parameters, and gives L."""
    function = jax.jit(jax.value_and_grad(lambda parts, data: loss(**parts, data=data)))
    parts = {name: jnp.asarray(part) for name, part in model.parts(theta).items()}

    def evaluate() -> float:
        value, _ = jax.block_until_ready(function(parts, data))
        return float(value)

    return evaluate


def largest_curvature(problem: Problem, trajectory: Trajectory, loss: Loss, data: Arrays) -> dict[str, float]:
    """Return per stage the largest λ_max of the trained group's Hessian along a trajectory."""
    largest = {}
    for stage, samples in zip(problem.stages, trajectory.theta, strict=True):
        hessian = jax.jit(jax.hessian(stage_loss(problem.model, loss, stage.group)))
        values = []
        for theta in samples:
            parts = {name: jnp.asarray(part) for name, part in problem.model.parts(theta).items()}
            matrix = np.asarray(hessian(parts[stage.group].ravel(), parts, data))
            values.append(np.linalg.eigvalsh(matrix)[-1])
        largest[stage.name] = float(max(values))
    return largest
