"""The loss in PyTorch: over all windows, and over their counts."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from dataclasses import asdict

import numpy as np
import torch

from .data import CompressedCorpus, DenseCorpus
from .problem import Model

Arrays = dict[str, torch.Tensor]
#: L from c, w and a.
Loss = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


def kernel(model: Model, c: torch.Tensor, g: torch.Tensor) -> torch.Tensor:
    """Return k = Σ_S p_S ∏_{h∈S} g_h, p_S = c_S²/C_D, from g (H, …)."""
    share = c**2 / torch.sum(c**2)
    one = torch.ones_like(g[0])
    products = (functools.reduce(torch.mul, [g[h] for h in s]) if s else one for s in model.subsets)
    return sum(p * product for p, product in zip(share, products))


def arrays(corpus: DenseCorpus | CompressedCorpus) -> Arrays:
    """Return the arrays of a corpus as tensors; what are indices, as 64-bit integers."""
    tensors = {k: torch.from_numpy(v) for k, v in asdict(corpus).items() if isinstance(v, np.ndarray)}
    return {k: v if v.is_floating_point() else v.long() for k, v in tensors.items()}


def read_out(
    model: Model, c: torch.Tensor, a: torch.Tensor, g: torch.Tensor, hits: torch.Tensor
) -> torch.Tensor:
    """Return L from g (H, N, positions)."""
    attention = torch.softmax(a * kernel(model, c, g), -1)
    return -torch.mean(torch.log((attention * hits).sum(-1) + model.floor))


def dense_loss(model: Model, corpus: DenseCorpus) -> Loss:
    """Return L over all positions, σ and the query contracted first (see models_jax)."""
    data = arrays(corpus)
    count, positions = data["hits"].shape
    windows = data["windows"].reshape(count, -1, positions).transpose(1, 2).contiguous()

    def loss(c: torch.Tensor, w: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
        sigma = torch.softmax(w, -1)
        query = torch.einsum("hm,nmd->nhd", sigma, data["queries"])
        probe = torch.einsum("hm,nhd->nmdh", sigma, query).reshape(count, -1, model.heads)
        g = torch.bmm(windows, probe).permute(2, 0, 1)
        return read_out(model, c, a, g, data["hits"])

    return loss


def plain_dense_loss(model: Model, corpus: DenseCorpus) -> Loss:
    """Return L over all positions, written line by line as the model is defined."""
    data = arrays(corpus)

    def loss(c: torch.Tensor, w: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
        sigma = torch.softmax(w, -1)
        v = torch.einsum("hm,nmdp->hnpd", sigma, data["windows"])
        query = torch.einsum("hm,nmd->hnd", sigma, data["queries"])
        g = torch.einsum("hnpd,hnd->hnp", v, query)
        return read_out(model, c, a, g, data["hits"])

    return loss


def compressed_loss(model: Model, corpus: CompressedCorpus) -> Loss:
    """Return L from counts."""
    data = arrays(corpus)

    def loss(c: torch.Tensor, w: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
        v = torch.einsum("hm,wmd->hwd", torch.softmax(w, -1), data["windows"])
        k = kernel(model, c, torch.einsum("hqd,hwd->hqw", v, v))
        logits = a * k[data["pair_query"], data["pair_window"]]
        powers = torch.exp(logits - logits.max().detach())[data["pair"]]
        sums = torch.zeros(len(corpus.weights), 2, dtype=powers.dtype)
        sums = sums.index_add(0, data["sequence"], powers[:, None] * data["counts"])
        return corpus.constant - data["weights"] @ torch.log(sums[:, 1] / sums[:, 0] + model.floor)

    return loss


def corpus_loss(model: Model, corpus: DenseCorpus | CompressedCorpus) -> Loss:
    """Return the loss over a corpus."""
    if isinstance(corpus, DenseCorpus):
        return dense_loss(model, corpus)
    return compressed_loss(model, corpus)


def compiled(loss: Loss, parts: dict[str, torch.Tensor], groups: list[str]) -> tuple[Loss, str]:
    """Return the loss through torch.compile, tried at ``parts``, and no note; else itself and why.

    torch.compile calls a C++ compiler and needs Python's headers, which not every machine has.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fast = torch.compile(loss, dynamic=False)
            gradient(fast, parts, groups)
    except Exception as error:  # whatever the compiler's many layers raise
        return loss, f"not compiled: {str(error).strip().splitlines()[0][:80]}"
    return fast, ""


def gradient(
    loss: Loss, parts: dict[str, torch.Tensor], groups: list[str]
) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Return L and its gradient with respect to some of c, w and a."""
    leaves = {k: v.detach().requires_grad_(k in groups) for k, v in parts.items()}
    value = loss(**leaves)
    return value.detach(), list(torch.autograd.grad(value, [leaves[group] for group in groups]))


def full_gradient(model: Model, loss: Loss, theta: np.ndarray) -> tuple[float, np.ndarray]:
    """Return L and ∇L (P) with respect to all parameters."""
    parts = tensors(model, theta)
    value, gradients = gradient(loss, parts, list(parts))
    return float(value), np.concatenate([g.numpy().ravel() for g in gradients])


def tensors(model: Model, theta: np.ndarray) -> dict[str, torch.Tensor]:
    """Return c, w and a as tensors of their own."""
    return {group: torch.tensor(part) for group, part in model.parts(theta).items()}
