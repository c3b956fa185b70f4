"""Windows written out and counted, and problems read from run directories."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import yaml

import tiny
from peers.data import compress, count_windows, dense, read_tokens, rename
from peers.problem import ProblemError, read_problem, sample_clock


def test_counts_are_those_of_a_slow_program() -> None:
    model = tiny.model(vocabulary=2, window=3)
    x = tiny.tokens(model, sequences=9, length=20)
    corpus = count_windows(x, 2, 3)
    expected: Counter[tuple[int, tuple[int, ...], tuple[int, ...]]] = Counter()
    hits: Counter[tuple[int, tuple[int, ...], tuple[int, ...]]] = Counter()
    for n, row in enumerate(x.tolist()):
        query = tuple(row[20 - lag] for lag in (1, 2, 3))
        for position in range(3, 20):
            key = n, tuple(row[position - lag] for lag in (1, 2, 3)), query
            expected[key] += 1
            hits[key] += row[position] == row[20]
    windows = [tuple(w) for w in corpus.windows.argmax(-1).tolist()]
    assert len(set(windows)) == len(windows)
    found = {
        (n, windows[corpus.pair_window[p]], windows[corpus.pair_query[p]]): tuple(counts)
        for n, p, counts in zip(corpus.sequence.tolist(), corpus.pair, corpus.counts.tolist())
    }
    assert found == {key: (expected[key], hits[key]) for key in expected}
    assert len(found) == len(corpus.pair)
    assert (np.diff(corpus.sequence) >= 0).all()


def test_tokens_are_renamed_by_the_query() -> None:
    x = np.array([[0, 1, 2, 1, 2, 0], [2, 0, 1, 1, 1, 2]])
    assert rename(x, 3, 2).tolist() == [[2, 1, 0, 1, 0, 2], [2, 1, 0, 0, 0, 2]]


def test_equal_sequences_are_merged_and_even_ones_taken_out() -> None:
    x = np.array([[0, 1, 0, 0, 1, 0], [1, 0, 1, 1, 0, 1], [1, 1, 1, 1, 1, 1]])
    corpus = compress(x, 2, 1, 0.5)
    assert corpus.weights.tolist() == [2 / 3]
    assert corpus.constant == pytest.approx(-np.log(1.5) / 3)
    assert corpus.counts.tolist() == [[1, 1], [3, 1]]


def test_dense_windows_are_the_tokens_before() -> None:
    x = np.array([[0, 1, 2, 1, 0, 1]])
    corpus = dense(x, 3, 2)
    assert corpus.windows.argmax(2).tolist() == [[[1, 2, 1], [0, 1, 2]]]
    assert corpus.queries.argmax(2).tolist() == [[0, 1]]
    assert corpus.hits.tolist() == [[0, 1, 0]]


def test_run_directories_are_read(run_folder: Path) -> None:
    problem = read_problem(run_folder)
    expected = tiny.problem(tiny.model())
    assert problem.model == expected.model
    assert np.array_equal(problem.start, expected.start)
    assert [(s.name, s.group) for s in problem.stages] == [(s.name, s.group) for s in expected.stages]
    assert problem.span == 35
    assert read_tokens(run_folder).tolist() == tiny.tokens(tiny.model()).tolist()


@pytest.mark.parametrize(
    ("section", "key", "value", "message"),
    [
        ("model", "readout", "all", "full windows"),
        ("model", "lags", [[1, 3]] * 3, "lags 1…M"),
        ("loss", "targets", "expected", "targets are sampled"),
        ("sampling", "per_decade", 4, "at other times"),
    ],
)
def test_what_the_peers_do_not_cover_is_refused(
    tmp_path: Path, section: str, key: str, value: object, message: str
) -> None:
    model = tiny.model()
    folder = tiny.write_run(tmp_path / "run", model, tiny.tokens(model))
    experiment = yaml.safe_load((folder / "experiment.yaml").read_text())
    experiment[section][key] = value
    (folder / "experiment.yaml").write_text(yaml.safe_dump(experiment))
    with pytest.raises(ProblemError, match=message):
        read_problem(folder)


def test_sample_times_are_gradflows() -> None:
    clock = sample_clock(1e5, {"first": 0.01, "per_decade": 20})
    assert len(clock) == 142
    assert clock[:3].tolist() == [0, 0.01, 0.011220184543019634]
    assert clock[-1] == 1e5
    assert clock[-2] == pytest.approx(89125.09381337458, rel=1e-14)
