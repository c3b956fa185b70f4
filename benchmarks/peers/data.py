"""Token sequences as arrays: all windows one-hot, or counted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class DenseCorpus:
    """Every position of every sequence.

    ``windows``: one-hot x_{l−m} for m = 1…M, shape (N, M, d, positions), for l = M+1…L.
    ``queries``: one-hot x_{L+1−m}, shape (N, M, d).
    ``hits``: whether x_l is the target x_{L+1}, shape (N, positions).
    """

    windows: np.ndarray
    queries: np.ndarray
    hits: np.ndarray


@dataclass(frozen=True)
class CompressedCorpus:
    """What the loss sees of a corpus, as gradflow has it: L = constant − Σ weights log(…)/N.

    ``windows``: the W distinct windows, one-hot, shape (W, M, d).
    ``pair_window``, ``pair_query``: the distinct pairs (ω, q) as rows of ``windows``, shape (P).
    ``sequence``, ``pair``: the sequence, ascending, and the pair of each count, shape (E).
    ``counts``: N(ω) and N(ω, x_{L+1}), shape (E, 2).
    ``weights``: how many sequences have these counts, over N, shape (S).
    ``constant``: the mean loss of the sequences that no parameter changes, times their share.
    """

    windows: np.ndarray
    pair_window: np.ndarray
    pair_query: np.ndarray
    sequence: np.ndarray
    pair: np.ndarray
    counts: np.ndarray
    weights: np.ndarray
    constant: float


@dataclass(frozen=True)
class Population:
    """Stationary laws of K chains: ``joint`` μ(e, ω), shape (K, d, W), ``windows`` one-hot (W, M, d)."""

    joint: np.ndarray
    windows: np.ndarray


def read_tokens(folder: Path) -> np.ndarray:
    """Return the tokens that a run exported, target last, shape (N, L + 1)."""
    with np.load(folder / "corpus.npz") as archive:
        return archive["tokens"].astype(np.int64)


def read_population(folder: Path, vocabulary: int) -> Population:
    """Return the laws that a run in infinite context exported."""
    with np.load(folder / "population.npz") as archive:
        return Population(archive["joint"], np.eye(vocabulary)[archive["windows"]])


def dense(tokens: np.ndarray, vocabulary: int, window: int) -> DenseCorpus:
    """Write out the windows of tokens (N, L + 1)."""
    positions, end = np.arange(window, tokens.shape[1] - 1), tokens.shape[1] - 1
    lags = range(1, window + 1)
    one_hot = np.eye(vocabulary)
    windows = np.stack([one_hot[tokens[:, positions - lag]] for lag in lags], 1)
    return DenseCorpus(
        windows=np.ascontiguousarray(windows.transpose(0, 1, 3, 2)),
        queries=np.stack([one_hot[tokens[:, end - lag]] for lag in lags], 1),
        hits=(tokens[:, positions] == tokens[:, end:]).astype(float),
    )


def compress(tokens: np.ndarray, vocabulary: int, window: int, floor: float) -> CompressedCorpus:
    """Do to tokens (N, L + 1) what gradflow does: rename, count windows, merge equal sequences.

    The model compares tokens and knows none by name, so each sequence is renamed by its query; and a
    sequence in which all windows have the same share of hits has the same loss at every θ. Tokens that a
    query lacks keep their order here; gradflow renames those by each window, which at d = 3 only the
    constant queries notice.
    """
    return merge(count_windows(rename(tokens, vocabulary, window), vocabulary, window), floor)


def rename(tokens: np.ndarray, vocabulary: int, window: int) -> np.ndarray:
    """Rename the tokens of each row in the order in which they occur in its query, the newest first."""
    query = tokens[:, -2 : -2 - window : -1]
    occurs = query[:, None, :] == np.arange(vocabulary)[:, None]
    first = np.where(occurs.any(-1), occurs.argmax(-1), window)
    names = np.argsort(np.argsort(first, axis=-1, kind="stable"), axis=-1)
    return np.take_along_axis(names, tokens, -1)


def merge(corpus: CompressedCorpus, floor: float) -> CompressedCorpus:
    """Merge sequences with equal counts, and take those out whose loss is constant."""
    total = len(corpus.weights)
    starts = np.searchsorted(corpus.sequence, np.arange(total + 1))
    occurrences, hits = corpus.counts.T
    first = starts[corpus.sequence]
    even = np.minimum.reduceat(hits * occurrences[first] == hits[first] * occurrences, starts[:-1])
    constant = -np.log(hits[starts[:-1]] / occurrences[starts[:-1]] + floor)[even].sum() / total
    distinct: dict[bytes, list[int]] = {}
    for n in np.flatnonzero(~even):
        part = slice(starts[n], starts[n + 1])
        distinct.setdefault(corpus.pair[part].tobytes() + corpus.counts[part].tobytes(), []).append(n)
    kept = [members[0] for members in distinct.values()]
    entries = np.concatenate([np.arange(starts[n], starts[n + 1]) for n in kept])
    sizes = starts[np.add(kept, 1)] - starts[kept]
    return replace(
        corpus,
        sequence=np.repeat(np.arange(len(kept), dtype=np.int32), sizes),
        pair=corpus.pair[entries],
        counts=corpus.counts[entries],
        weights=np.array([len(members) for members in distinct.values()]) / total,
        constant=float(constant),
    )


def count_windows(tokens: np.ndarray, vocabulary: int, window: int) -> CompressedCorpus:
    """Count the windows of tokens (N, L + 1)."""
    count, end = tokens.shape[0], tokens.shape[1] - 1
    positions = np.arange(window, end)
    codes = vocabulary**window  # a window is a number: its tokens in base d, lag 1 first
    code = sum(tokens[:, positions - lag] * vocabulary ** (lag - 1) for lag in range(1, window + 1))
    query = sum(tokens[:, end - lag] * vocabulary ** (lag - 1) for lag in range(1, window + 1))
    keys, entry, occurrences = np.unique(
        np.arange(count)[:, None] * codes + code, return_inverse=True, return_counts=True
    )
    hits = np.bincount(entry.ravel(), weights=(tokens[:, positions] == tokens[:, end:]).ravel())
    sequence = keys // codes
    pairs, pair = np.unique(query[sequence] * codes + keys % codes, return_inverse=True)
    windows, rows = np.unique([pairs // codes, pairs % codes], return_inverse=True)
    pair_query, pair_window = rows.reshape(2, -1)
    digits = windows[:, None] // vocabulary ** np.arange(window) % vocabulary
    return CompressedCorpus(
        windows=np.eye(vocabulary)[digits],
        pair_window=pair_window.astype(np.int32),
        pair_query=pair_query.astype(np.int32),
        sequence=sequence.astype(np.int32),
        pair=pair.ravel().astype(np.int32),
        counts=np.stack([occurrences.astype(float), hits], 1),
        weights=np.full(count, 1 / count),
        constant=0.0,
    )
