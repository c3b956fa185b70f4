"""The full transformer in JAX, integrated by CVODE through scikit-SUNDAE: ``python -m peers.full``.

An independent program beside gradflow's: all positions of all sequences one-hot, layers as they are defined,
derivatives by JAX. It starts where gradflow started, stops where gradflow sampled, and must come to the same
parameters; a second one is given gradflow's compression, and does the same from the distinct windows.
"""

from __future__ import annotations

import argparse
import csv
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import yaml
from sksundae.cvode import CVODE, CVODEJacTimes

jax.config.update("jax_enable_x64", True)

BENCHMARKS = Path(__file__).resolve().parents[1]

#: Parameters by group, each of its own shape.
Parts = dict[str, jax.Array]


def layer_norm(x: jax.Array, gain: jax.Array, bias: jax.Array, floor: float) -> jax.Array:
    """Normalise over the last axis."""
    centred = x - x.mean(-1, keepdims=True)
    return gain * centred / jnp.sqrt((centred**2).mean(-1, keepdims=True) + floor) + bias


def heads(parts: Parts, own: jax.Array, before: jax.Array, floor: float) -> jax.Array:
    """Return [v¹; …; v^H] of positions with embeddings ``own`` (…, d) and, at lags 1…M, ``before`` (…, M, d)."""
    queries = jnp.einsum("hij,...i->...hj", parts["wq"], own)
    keys = jnp.einsum("hij,...mi->...hmj", parts["wk"], before)
    logits = jnp.einsum("...hj,...hmj->...hm", queries, keys) + parts["w"]
    mixed = jnp.einsum("...hm,...mi->...hi", jax.nn.softmax(logits, -1), before)
    values = jnp.einsum("hij,...hj->...hi", parts["wov"], mixed)
    values = layer_norm(values, parts["ln.gain"], parts["ln.bias"], floor)
    return values.reshape(*values.shape[:-2], -1)


def features(parts: Parts, v: jax.Array, floor: float) -> jax.Array:
    """Return what the network makes of the heads."""
    hidden = jax.nn.gelu(v @ parts["w1"].T + parts["b1"], approximate=False)
    return layer_norm(hidden @ parts["w2"].T + parts["b2"], parts["ffn.gain"], parts["ffn.bias"], floor)


def dense_loss(tokens: np.ndarray, model: dict) -> Callable[[Parts], jax.Array]:
    """Return L over all positions of tokens (N, L + 1)."""
    d, window, floor = model["vocabulary"], model["window"], model["norm_floor"]
    one_hot = jnp.asarray(np.eye(d)[tokens])
    end = tokens.shape[1] - 1
    positions = np.arange(window, end)
    lags = np.arange(1, window + 1)
    own = one_hot[:, positions]
    before = one_hot[:, positions[:, None] - lags]
    last = one_hot[:, end - lags]
    hits = jnp.asarray((tokens[:, positions] == tokens[:, end:]).astype(float))

    def loss(parts: Parts) -> jax.Array:
        u = features(parts, heads(parts, own, before, floor), floor)
        q = features(parts, heads(parts, jnp.zeros((len(tokens), d)), last, floor), floor)
        k = jnp.einsum("npm,nm->np", u, q) / np.sqrt(u.shape[-1])
        y = jnp.sum(jax.nn.softmax(parts["a"] * k, -1) * hits, -1)
        return -jnp.mean(jnp.log(y + model["floor"]))

    return loss


def compressed_loss(tokens: np.ndarray, model: dict) -> Callable[[Parts], jax.Array]:
    """Return L from counts of distinct windows."""
    d, window, floor = model["vocabulary"], model["window"], model["norm_floor"]
    end = tokens.shape[1] - 1
    positions = np.arange(window, end)
    powers = d ** np.arange(window + 1)
    keys = np.stack([tokens[:, positions - lag] for lag in range(window + 1)], -1) @ powers
    queries = np.stack([tokens[:, end - lag] for lag in range(1, window + 1)], -1) @ powers[:-1]
    key_windows, key = np.unique(keys, return_inverse=True)
    query_windows, query = np.unique(queries, return_inverse=True)
    key = key.reshape(keys.shape)
    entries, entry, counts = np.unique(
        np.arange(len(tokens))[:, None] * len(key_windows) + key, return_inverse=True, return_counts=True
    )
    hits = np.bincount(entry.ravel(), weights=(tokens[:, positions] == tokens[:, end:]).ravel())
    sequence, row = np.divmod(entries, len(key_windows))
    one_hot = np.eye(d)

    def digits(codes: np.ndarray, count: int) -> np.ndarray:
        return codes[:, None] // d ** np.arange(count) % d

    contents = one_hot[digits(key_windows, window + 1)]
    asked = jnp.asarray(one_hot[digits(query_windows, window)])
    own, before = jnp.asarray(contents[:, 0]), jnp.asarray(contents[:, 1:])
    pair = jnp.asarray(row * len(query_windows) + query[sequence])
    table = jnp.asarray(np.stack([counts.astype(float), hits], 1))
    rows = jnp.asarray(sequence)

    def loss(parts: Parts) -> jax.Array:
        u = features(parts, heads(parts, own, before, floor), floor)
        q = features(parts, heads(parts, jnp.zeros((len(asked), d)), asked, floor), floor)
        k = (u @ q.T / np.sqrt(u.shape[-1])).ravel()
        logits = parts["a"] * k
        powers = jnp.exp(logits - jax.lax.stop_gradient(jnp.max(logits)))[pair]
        sums = jax.ops.segment_sum(powers[:, None] * table, rows, len(tokens), indices_are_sorted=True)
        return -jnp.mean(jnp.log(sums[:, 1] / sums[:, 0] + model["floor"]))

    return loss


def shapes(model: dict) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the groups in the order of θ."""
    d, h, window = model["vocabulary"], model["heads"], model["window"]
    hidden, m = model["hidden"], model["features"]
    return {
        "wq": (h, d, d), "wk": (h, d, d), "w": (h, window), "wov": (h, d, d), "ln.gain": (d,), "ln.bias": (d,),
        "w1": (hidden, h * d), "b1": (hidden,), "w2": (m, hidden), "b2": (m,), "ffn.gain": (m,), "ffn.bias": (m,),
        "a": (),
    }  # fmt: skip


def split(theta: jax.Array, model: dict) -> Parts:
    """Return the groups of θ."""
    parts, start = {}, 0
    for name, shape in shapes(model).items():
        size = int(np.prod(shape))
        parts[name] = theta[start : start + size].reshape(shape)
        start += size
    if start != len(theta):
        raise SystemExit(f"error: θ has {len(theta)} parameters, this model {start}")
    return parts


def solve(
    loss: Callable[[Parts], jax.Array], start: np.ndarray, times: np.ndarray, model: dict, rtol: float, krylov: int
) -> tuple[np.ndarray, float, int, int]:
    """Return θ at the times, the seconds it took, and the gradients and Hessian products it took."""

    def function(theta: jax.Array) -> jax.Array:
        return loss(split(theta, model))

    gradient = jax.jit(jax.grad(function))
    product = jax.jit(lambda theta, v: jax.jvp(jax.grad(function), (theta,), (v,))[1])
    gradient(start).block_until_ready()
    product(start, start).block_until_ready()
    counts = [0, 0]

    def velocity(t: float, y: np.ndarray, yp: np.ndarray) -> None:
        counts[0] += 1
        yp[:] = -np.asarray(gradient(y))

    def setup(t: float, y: np.ndarray, yp: np.ndarray) -> None:
        pass

    def times_jacobian(t: float, y: np.ndarray, yp: np.ndarray, v: np.ndarray, out: np.ndarray) -> None:
        counts[1] += 1
        out[:] = -np.asarray(product(y, v))

    solver = CVODE(
        velocity, method="BDF", linsolver="gmres", krylov_dim=krylov, rtol=rtol, atol=rtol / 100,
        max_num_steps=1_000_000, jactimes=CVODEJacTimes(setup, times_jacobian),
    )  # fmt: skip
    begin = time.perf_counter()
    solution = solver.solve(times, start)
    seconds = time.perf_counter() - begin
    if not solution.success or len(solution.t) != len(times):
        raise SystemExit(f"error: CVODE came to t = {solution.t[-1]:g}: {solution.message}")
    return solution.y, seconds, counts[0], counts[1]


def main() -> int:
    """Run gradflow and both peers; exit code 1 if trajectories differ."""
    parser = argparse.ArgumentParser(prog="python -m peers.full", description=__doc__)
    parser.add_argument("--gradflow", type=Path, default=BENCHMARKS.parent / ".build/release/gradflow")
    parser.add_argument("--experiment", type=Path, default=BENCHMARKS / "full-transformer.yaml")
    parser.add_argument("--tolerance", type=float, default=1e-6)
    parser.add_argument("--skip-dense", action="store_true")
    options = parser.parse_args()
    settings = yaml.safe_load(options.experiment.read_text(encoding="utf-8"))
    model = {"floor": settings["loss"]["floor"], "vocabulary": settings["data"]["vocabulary"], **settings["model"]}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        command = [
            options.gradflow, "run", options.experiment, "--out", out, "--quiet", "--threads", "2", "--export-corpus",
            "--set", f"solver.relative_tolerance={options.tolerance}",
            "--set", f"solver.absolute_tolerance={options.tolerance / 100}",
        ]  # fmt: skip
        begin = time.perf_counter()
        subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)
        own = time.perf_counter() - begin
        with (out / "trajectory.csv").open(encoding="utf-8") as file:
            table = list(csv.DictReader(file))
        with np.load(out / "corpus.npz") as archive:
            tokens = archive["tokens"].astype(np.int64)
        names = re.findall(r"^  ([^ :]+):", (out / "final.yaml").read_text(encoding="utf-8"), re.M)
    times = np.array([float(row["t"]) for row in table])
    times, kept = np.unique(times, return_index=True)
    theirs = np.array([[float(table[i][name]) for name in names] for i in kept])
    print(f"{len(names)} parameters, {len(tokens)} sequences of {tokens.shape[1] - 1}, to t = {times[-1]:g}")
    print(f"gradflow, whole process           {own:8.2f} s")
    worst = 0.0
    peers = {"JAX, compressed": compressed_loss, "JAX, dense": dense_loss}
    for name, make in peers.items():
        if options.skip_dense and make is dense_loss:
            continue
        y, seconds, gradients, products = solve(make(tokens, model), theirs[0], times, model, options.tolerance, 30)
        distance = np.abs(y - theirs).max() / np.abs(theirs).max()
        worst = max(worst, distance)
        print(
            f"{name + ', scikit-SUNDAE':33s} {seconds:8.2f} s = {seconds / own:7.1f} times, {gradients} gradients, "
            f"{products} products, distance {distance:.1e} of the largest parameter"
        )
    print(f"trajectories agree to {worst:.1e}; asked: {10 * options.tolerance:.0e}")
    return 0 if worst <= 10 * options.tolerance else 1


if __name__ == "__main__":
    sys.exit(main())
