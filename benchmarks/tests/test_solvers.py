"""Every peer, on a small problem, against SciPy's DOP853 at tight tolerances."""

import functools
import json
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import tiny
from peers import models_jax, worker
from peers.cases import Case
from peers.data import compress
from peers.distances import distances
from peers.problem import read_problem
from peers.progress import Progress, read_progress
from peers.solvers import StageSolution

RTOL = 1e-6


@functools.cache
def reference(folder: Path) -> list[np.ndarray]:
    """Return θ per stage (samples, P) to ten digits."""
    problem = read_problem(folder)
    model = problem.model
    corpus = compress(tiny.tokens(model), model.vocabulary, model.window, model.floor)
    loss, data = models_jax.loss_and_arrays(model, corpus)
    theta, solutions = problem.start.copy(), []
    import jax

    full = jax.jit(jax.grad(lambda parts, data: loss(**parts, data=data)))
    for stage in problem.stages:
        parts, shape = model.parts(theta), model.shapes[stage.group]

        def velocity(t, y, parts=parts, stage=stage, shape=shape):
            slopes = full({**parts, stage.group: y.reshape(shape)}, data)
            return -np.ravel(slopes[stage.group])

        y = theta[model.slices[stage.group]].copy()
        solution = solve_ivp(velocity, (0, stage.clock[-1]), y, "DOP853", stage.clock, rtol=1e-11, atol=1e-12)
        theta = theta.copy()
        theta[model.slices[stage.group]] = solution.y[:, -1]
        solutions.append(StageSolution(solution.y.T))
    return worker.full_samples(problem, solutions)


CASES = [
    Case("scikit-SUNDAE", "BDF", "compressed", "exact", RTOL),
    Case("scikit-SUNDAE", "BDF", "dense", "differences", RTOL),
    Case("SciPy", "BDF", "compressed", "exact", RTOL),
    Case("SciPy", "LSODA", "compressed", "differences", RTOL),
    Case("diffrax", "Kvaerno3", "compressed", rtol=RTOL),
    Case("diffrax", "Tsit5", "dense", rtol=RTOL),
    Case("torchdiffeq", "dopri5", "compressed", rtol=RTOL),
    Case("PyTorch", "descent", "compressed", rate=0.02),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.key)
def test_peers_follow_the_flow(
    case: Case,
    run_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from peers import solvers_torch

    # Compiling takes longer than all else here; what is compiled is tested by the benchmark's own check.
    monkeypatch.setattr(solvers_torch, "compiled", lambda loss, parts, groups: (loss, ""))
    monkeypatch.setattr(worker, "REPETITIONS", 1)
    if case.solver == "Kvaerno3":  # compiling once more to count is tested with Tsit5
        monkeypatch.setattr(worker, "COUNTED_SECONDS", -1)
    worker.solve(run_folder, case, tmp_path, limit=600)
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["event"] for event in events] == ["prepared", "solving", "solved", "finished"]
    if case.solver == "Tsit5":  # six per step, and one more at the start of each stage
        assert events[-1]["evaluations"] == 6 * events[-1]["steps"] + 3
    elif case.peer != "diffrax":
        assert events[-1]["evaluations"] > 10
    if case.jacobian == "exact":
        assert events[-1]["jacobians"] >= 3  # one per stage at least
    with np.load(tmp_path / "trajectory.npz") as archive:
        theta = [archive[name] for name in archive.files]
    # Interpolated samples may be off by more than the ends of the stages, a first-order method by η.
    found = distances(read_problem(run_folder), theta, reference(run_folder))
    assert found["distance_end"] < (2e-3 if case.peer == "PyTorch" else 1e-4)
    assert found["distance_max"] < 2e-3
    reached, _ = read_progress(tmp_path / "progress")
    assert reached == pytest.approx(35, rel=0.05)


def test_descent_converges_to_the_flow_at_first_order(run_folder: Path, tmp_path: Path) -> None:
    from peers import models_torch, solvers_torch

    problem = read_problem(run_folder)
    model = problem.model
    corpus = compress(tiny.tokens(model), model.vocabulary, model.window, model.floor)
    loss = models_torch.compressed_loss(model, corpus)
    errors = []
    for rate in (0.08, 0.04, 0.02):
        progress = Progress(tmp_path / f"{rate}")
        peer = solvers_torch.DescentPeer(
            model, loss, progress, rates={stage.name: rate for stage in problem.stages}
        )
        peer.losses = {stage.name: loss for stage in problem.stages}
        theta = worker.full_samples(problem, worker.solve_stages(peer, problem, progress))
        errors.append(distances(problem, theta, reference(run_folder))["distance_max"])
    slopes = np.diff(np.log(errors)) / np.log(0.5)
    assert slopes == pytest.approx([1, 1], abs=0.15)


def test_what_would_take_too_long_is_extrapolated(
    run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from peers import solvers_torch

    monkeypatch.setattr(solvers_torch, "compiled", lambda loss, parts, groups: (loss, ""))
    monkeypatch.setattr(solvers_torch.DescentPeer, "step_seconds", lambda self, stage, theta: 0.5)
    worker.solve(run_folder, Case("PyTorch", "descent", "dense", rate=0.1), tmp_path, limit=174)
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last == {"event": "extrapolated", "seconds": 175, "steps": 350, "evaluations": 350}
