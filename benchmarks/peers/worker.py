"""One measurement in a process of its own, which tells its parent by lines of JSON how far it is.

    python -m peers.worker check FOLDER            the peers' losses and gradients against gradflow's
    python -m peers.worker solve FOLDER CASE OUT LIMIT
                                                   one case, as JSON, into the folder OUT
    python -m peers.worker gradient FOLDER NAME    time gradients whenever a line is read

FOLDER is a run directory of gradflow with its corpus.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

import numpy as np

from .cases import Case
from .data import compress, dense, read_population, read_tokens
from .distances import distances
from .machine import OtherLoad
from .problem import Problem, Trajectory, read_problem, read_trajectory
from .progress import Progress
from .solvers import Peer, SolverError, StageSolution

#: Short solves are repeated until there are so many, or until they took so long together.
REPETITIONS = 3
REPEATED_SECONDS = 30.0
#: A solve that took no longer is made once more to count evaluations, where counting is slow.
COUNTED_SECONDS = 60.0
#: How closely losses must agree with gradflow's and gradients with each other.
LOSS_AGREEMENT = 1e-12
GRADIENT_AGREEMENT = 1e-10


def emit(event: str, **values: Any) -> None:
    """Tell the parent."""
    print(json.dumps({"event": event, **values}), flush=True)


def main(arguments: list[str]) -> int:
    """Run one command."""
    command, folder, *rest = arguments
    try:
        if command != "gradient":
            threading.Thread(target=end_with_parent, daemon=True).start()
        if command == "check":
            check(Path(folder))
        elif command == "solve":
            solve(Path(folder), Case(**json.loads(rest[0])), Path(rest[1]), limit=float(rest[2]))
        else:
            gradient(Path(folder), rest[0])
    except SolverError as error:
        emit("failed", message=str(error))
        return 1
    except Exception as error:  # whatever a peer raises is its result
        traceback.print_exc()
        emit("failed", message=f"{type(error).__name__}: {str(error).strip()[:300]}")
        return 1
    return 0


def end_with_parent() -> None:
    """End this process when the other end of its standard input is gone."""
    while sys.stdin.read(1):
        pass
    os._exit(1)


# MARK: - Agreement


def check(folder: Path) -> None:
    """Hold losses and gradients of all peers against gradflow's at the ends of all stages.

    Tell the parent the largest deviations, λ_max of the Hessian per stage, over its samples, and how far
    the trajectory is from one that shares no code with gradflow.
    """
    from . import models_jax

    problem = read_problem(folder)
    trajectory, model = read_trajectory(folder, problem), problem.model
    jax_models, torch_models = all_models(model, read_tokens(folder))
    worst = {"loss": 0.0, "gradient": 0.0, "norm": 0.0}
    for index, stage in enumerate(problem.stages):
        for sample in (0, -1):
            found = all_gradients(model, jax_models, torch_models, trajectory.theta[index][sample])
            place = f"{stage.name}, {'start' if sample == 0 else 'end'}"
            compare(problem, trajectory, (index, sample), found, place, worst)
    curvature = models_jax.largest_curvature(problem, trajectory, *jax_models["JAX compressed"])
    independent = independent_distance(folder, problem, trajectory, *jax_models["JAX compressed"])
    emit("checked", **worst, curvature=curvature, independent=independent)


def all_models(model: Model, tokens: np.ndarray) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the loss of every program by name: those of JAX with their arrays, and those of PyTorch."""
    from . import models_jax, models_torch

    all_windows = dense(tokens, model.vocabulary, model.window)
    counted = compress(tokens, model.vocabulary, model.window, model.floor)
    jax_models = {
        "JAX dense": models_jax.loss_and_arrays(model, all_windows),
        "JAX dense, plain": (models_jax.plain_dense_loss(model), models_jax.arrays(all_windows)),
        "JAX compressed": models_jax.loss_and_arrays(model, counted),
    }
    torch_models = {
        "PyTorch dense": models_torch.corpus_loss(model, all_windows),
        "PyTorch dense, plain": models_torch.plain_dense_loss(model, all_windows),
        "PyTorch compressed": models_torch.corpus_loss(model, counted),
    }
    return jax_models, torch_models


def all_gradients(
    model: Model, jax_models: dict[str, Any], torch_models: dict[str, Any], theta: np.ndarray
) -> dict[str, tuple[float, np.ndarray]]:
    """Return L and ∇L by every program."""
    from . import models_jax, models_torch

    return {
        **{n: models_jax.full_gradient(model, f, theta, a) for n, (f, a) in jax_models.items()},
        **{n: models_torch.full_gradient(model, f, theta) for n, f in torch_models.items()},
    }


def independent_distance(
    folder: Path, problem: Problem, trajectory: Trajectory, loss: Any, data: Any
) -> dict[str, float]:
    """Return how far a trajectory is from SciPy's DOP853 at the same tight tolerances."""
    from .solvers_host import ScipyPeer

    progress = Progress(folder / "progress")
    peer = ScipyPeer(
        problem.model,
        loss,
        data,
        progress,
        rtol=1e-11,
        atol=1e-13,
        exact_jacobian=False,
        method="DOP853",
    )
    compile_stages(peer, problem)
    samples = full_samples(problem, solve_stages(peer, problem, progress))
    return distances(problem, trajectory.theta, samples)


def compare(
    problem: Problem,
    trajectory: Trajectory,
    at: tuple[int, int],
    found: dict[str, tuple[float, np.ndarray]],
    place: str,
    worst: dict[str, float],
) -> None:
    """Compare L and ∇L of several programs at one sample with gradflow's and with each other.

    Gradients and gradflow's norms of them agree within ``GRADIENT_AGREEMENT`` of the largest component of ∇L,
    losses within ``LOSS_AGREEMENT``. Raise ``SolverError`` where they do not; enter the largest
    deviations into ``worst``.
    """
    stage, sample = at
    expected = trajectory.loss[stage][sample]
    first = next(iter(found.values()))[1]
    scale = float(np.abs(first).max())
    for name, (loss, slope) in found.items():
        deviations = {
            "loss": abs(loss - expected),
            "gradient": float(np.abs(slope - first).max()) / scale,
            "norm": max(
                abs(float(np.linalg.norm(slope[where])) - trajectory.norms[stage][group][sample])
                for group, where in problem.model.slices.items()
            )
            / scale,
        }
        limits = {"loss": LOSS_AGREEMENT, "gradient": GRADIENT_AGREEMENT, "norm": GRADIENT_AGREEMENT}
        for what, deviation in deviations.items():
            if not deviation <= limits[what]:
                raise SolverError(f"{name}: {what} is off by {deviation:.1e} at {place}.")
            worst[what] = max(worst[what], deviation)


# MARK: - Solving


def solve(folder: Path, case: Case, out: Path, *, limit: float) -> None:
    """Solve all stages as a case says, a few times; write trajectory and counts of the first one.

    The parent stops what takes longer than ``limit`` seconds; gradient descent is then extrapolated
    instead, since its steps all take the same time.
    """
    out.mkdir(parents=True, exist_ok=True)
    progress = Progress(out / "progress")
    problem = read_problem(folder)
    peer, prepare_seconds = make_peer(folder, problem, case, progress)
    compile_seconds = compile_stages(peer, problem)
    emit("prepared", prepare_seconds=prepare_seconds, compile_seconds=compile_seconds, note=peer.note)
    if case.peer == "PyTorch" and (expected := descent_seconds(peer, problem)) > limit:
        total = sum(peer.steps(stage) for stage in problem.stages)
        emit("extrapolated", seconds=expected, steps=total, evaluations=total)
        return
    times: list[float] = []
    solutions: list[StageSolution] = []
    load = OtherLoad()
    while not times or (len(times) < REPETITIONS and sum(times) < REPEATED_SECONDS):
        progress.restart()
        emit("solving")
        begin = time.perf_counter()
        solved = solve_stages(peer, problem, progress)
        times.append(time.perf_counter() - begin)
        solutions = solutions or solved
        emit("solved", seconds=times[-1])
    counts: dict[str, Any] = {**totals(solutions), "other_cores": load.cores()}
    if case.peer == "diffrax" and min(times) <= COUNTED_SECONDS:
        counted, _ = make_peer(folder, problem, case, progress, counting=True)
        compile_stages(counted, problem)
        progress.restart()
        counts |= totals(solve_stages(counted, problem, progress))
    np.savez(out / "trajectory.npz", *full_samples(problem, solutions))
    emit("finished", seconds=times, **counts)


def make_peer(
    folder: Path, problem: Problem, case: Case, progress: Progress, *, counting: bool = False
) -> tuple[Peer, float]:
    """Return the peer of a case, and the seconds that reading and counting the windows took."""
    model = problem.model
    begin = time.perf_counter()
    sizes = read_tokens(folder), model.vocabulary, model.window
    corpus = dense(*sizes) if case.gradient == "dense" else compress(*sizes, model.floor)
    seconds = time.perf_counter() - begin
    tolerances = {"rtol": case.rtol, "atol": case.atol}
    if case.peer in ("PyTorch", "torchdiffeq"):
        from . import models_torch, solvers_torch

        loss = models_torch.corpus_loss(model, corpus)
        if case.peer == "torchdiffeq":
            return solvers_torch.TorchdiffeqPeer(
                model, loss, progress, method=case.solver, **tolerances
            ), seconds
        return solvers_torch.DescentPeer(model, loss, progress, rates=rates(folder, case)), seconds
    from . import models_jax

    loss, data = models_jax.loss_and_arrays(model, corpus)
    if case.peer == "diffrax":
        from .solvers_diffrax import DiffraxPeer

        return DiffraxPeer(
            model, loss, data, progress, solver=case.solver, counting=counting, **tolerances
        ), seconds
    from .solvers_host import CvodePeer, ScipyPeer

    options = {"exact_jacobian": case.jacobian == "exact", **tolerances}
    if case.peer == "scikit-SUNDAE":
        return CvodePeer(model, loss, data, progress, **options), seconds
    return ScipyPeer(model, loss, data, progress, method=case.solver, **options), seconds


def rates(folder: Path, case: Case) -> dict[str, float]:
    """Return the learning rate of every stage; what is stable was found by ``check``."""
    checked = json.loads((folder / "check.json").read_text(encoding="utf-8"))
    return {
        stage: case.rate * 2 / largest if case.rate_is_share else case.rate
        for stage, largest in checked["curvature"].items()
    }


def descent_seconds(peer: Any, problem: Problem) -> float:
    """Return the time that gradient descent will take, from a few steps of every stage."""
    return sum(peer.step_seconds(stage, problem.start) * peer.steps(stage) for stage in problem.stages)


def compile_stages(peer: Peer, problem: Problem) -> float:
    """Compile all stages; return the seconds."""
    begin = time.perf_counter()
    for stage in problem.stages:
        peer.compile(stage, problem.start)
    return time.perf_counter() - begin


def solve_stages(peer: Peer, problem: Problem, progress: Progress) -> list[StageSolution]:
    """Solve one stage after the other, each from where the one before ended."""
    theta, solutions = problem.start.copy(), []
    for stage in problem.stages:
        progress.begin_stage(float(stage.clock[-1]))
        solution = peer.solve(stage, theta)
        theta[problem.model.slices[stage.group]] = solution.samples[-1]
        solutions.append(solution)
    return solutions


def full_samples(problem: Problem, solutions: list[StageSolution]) -> list[np.ndarray]:
    """Return θ per stage (samples, P), the groups at rest filled in."""
    theta, samples = problem.start.copy(), []
    for stage, solution in zip(problem.stages, solutions, strict=True):
        rows = np.tile(theta, (len(stage.clock), 1))
        rows[:, problem.model.slices[stage.group]] = solution.samples
        theta = rows[-1].copy()
        samples.append(rows)
    return samples


def totals(solutions: list[StageSolution]) -> dict[str, int]:
    """Return the counts over all stages, those that are known."""
    counts = {}
    for name in ("steps", "evaluations", "jacobians"):
        numbers = [getattr(solution, name) for solution in solutions]
        if None not in numbers:
            counts[name] = sum(numbers)
    return counts


# MARK: - Single gradients


def gradient(folder: Path, name: str) -> None:
    """Prepare a gradient by its name; then time a burst of them for every line that is read."""
    evaluate, compile_seconds = make_gradient(folder, name)
    loss = evaluate()
    emit("ready", compile_seconds=compile_seconds, loss=loss)
    for line in sys.stdin:
        count, seconds = json.loads(line)
        times: list[float] = []
        while len(times) < count and (len(times) < 3 or sum(times) < seconds):
            begin = time.perf_counter()
            evaluate()
            times.append(time.perf_counter() - begin)
        emit("timed", milliseconds=float(np.median(times)) * 1e3, count=len(times))


def make_gradient(folder: Path, name: str) -> tuple[Any, float]:
    """Return a function that forms L and ∇L once at the start and gives L; and compile seconds."""
    problem = read_problem(folder)
    model, theta = problem.model, problem.start
    if name.startswith("NumPy"):
        from .models_numpy import population_gradient

        population = read_population(folder, model.vocabulary)
        return lambda: population_gradient(model, population, theta)[0], 0.0
    tokens = read_tokens(folder)
    sizes = tokens, model.vocabulary, model.window
    corpus = compress(*sizes, model.floor) if "compressed" in name else dense(*sizes)
    begin = time.perf_counter()
    if name.startswith("JAX"):
        from . import models_jax

        loss, data = models_jax.loss_and_arrays(model, corpus)
        if "plain" in name:
            loss = models_jax.plain_dense_loss(model)
        evaluate = models_jax.timed_gradient(model, loss, theta, data)
    else:
        from . import models_torch

        plain = models_torch.plain_dense_loss
        loss = plain(model, corpus) if "plain" in name else models_torch.corpus_loss(model, corpus)
        parts = models_torch.tensors(model, theta)
        if "compiled" in name:
            loss, note = models_torch.compiled(loss, parts, list(parts))
            if note:
                raise SolverError(note)

        def evaluate() -> float:
            return float(models_torch.gradient(loss, parts, list(parts))[0])

    evaluate()
    return evaluate, time.perf_counter() - begin


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
