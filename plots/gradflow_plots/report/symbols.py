"""What the letters and names of a page mean, those of its columns alone."""

from __future__ import annotations

import re

from ..run import Run
from ..sweep import Sweep
from .markup import Html, columns, details, table, tag

_QUANTITIES = {"leader": "set selected", "leading_share": "its share"}

#: What a column has to match for a symbol to be on the page: the symbol and what it is.
_SYMBOLS = [
    (r"^stage$|^t\.", "t", "the time of the flow θ′ = −∇L; gradient descent at a small rate η is there after t/η steps"),
    (r"^loss$", "L", "the loss, in nats unless it is that of a mixed target"),
    (r"^gradient_norm$", "‖∇L‖", "the norm of the gradient by the parameters that the stage trains"),
    (r"^share\.|^leader$", "S, S*", "a set of heads, or of the lags that they attend to; S* has the largest modified information"),
    (r"^c\.", "c_S", "the coefficient of a set"),
    (r"^share\.|^leader$", "p_S", "the share of a set: c_S² over the sum of all, or, of a full transformer, read off its scores"),
    (r"^attention\.", "σ^h_i", "the attention of head h to lag i; σ^h_∗ is that to its own lag, the one it attends to most at the start"),
    (r"^w\.", "w", "the weights of lags, of which the attention of a head is the softmax"),
    (r"^a$", "a", "the scale of the second layer"),
    (r"^unexplained$", "unexplained", "the part of the scores' variance that no set of lags explains"),
    (r"^loss\.g4$", "L_G4", "the part of the loss that the 4-gram makes"),
    (r"^loss\.ih$", "L_IH", "the part of the loss that the in-context 2-gram makes"),
    (r"^p1$", "p₁", "the rate at which the first layer forgets; inf where it sees the token before alone"),
    (r"^p$", "p", "the rate of the positional head of the second layer"),
    (r"^v1$", "v₁", "the weight of that head, which learns the 4-gram"),
    (r"^v$", "v", "the weight of the head that compares tokens, which learns the in-context part"),
    (r"^k$", "k", "w_K w_Q, the product of key and query of the head that compares tokens"),
]


def quantity_text(name: str) -> str:
    """Return what a quantity of the end is called on the page."""
    return _QUANTITIES.get(name, name)


def symbols_section(source: object) -> Html | None:
    """Return the symbols of a run or sweep with their meanings; None for what has no flow."""
    if isinstance(source, Run):
        names = list(source.trajectory.columns)
    elif isinstance(source, Sweep):
        names = list(source.runs.columns)
    else:
        return None
    rows = [
        [tag("b", symbol), meaning] for pattern, symbol, meaning in _SYMBOLS if any(re.search(pattern, name) for name in names)
    ]  # fmt: skip
    return details("What the symbols mean", table(columns("symbol|meaning"), rows, "Symbols", is_cards=True)) if rows else None
