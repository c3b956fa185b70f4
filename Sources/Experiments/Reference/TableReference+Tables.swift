// Every table, column by column.

extension TableReference {
  /// All tables.
  public static let all: [TableReference] =
    [trajectory, events, steps, claims, flows, diagram, training, distance, convergence]
    + [evaluation, ablations, field, nullclines, fixedPoints, paths]
    + [information, chains, bigrams, lags, positions, patches, similarities]

  private static let stage = Column("stage", "the name of the stage")
  private static let loss = Column("loss", "L(θ)")
  private static let gradientNorm = Column(
    "gradient_norm", "‖∇L‖ over the parameters that the stage trains")

  /// Parameters and observables, as a model names them.
  private static let state = [
    Column(
      "c.‹S›",
      "the coefficient c_S of the set S of heads, such as `c.1+2`; `c.0` is the empty set's"),
    Column(
      "w.‹h›.‹l›",
      "the weight w of head h for lag l; with absolute positions `w.‹h›.‹position›.‹l›`"),
    Column("a", "the scalar a of the second layer"),
    Column(
      "share.‹S›",
      "p_S = c_S²/C_D; of a full transformer the share of a set S of lags, read off its scores"),
    Column(
      "attention.‹h›.‹l›", "the attention of head h to lag l, softmax(w) over its lags; in [0, 1]"),
    Column("gradient_norm.‹group›", "‖∇L‖ over one group of parameters: `c`, `w`, `a`, …"),
    Column(
      "unexplained",
      "of a full transformer the part of the scores' variance that no set of lags explains"),
    Column(
      "p1",
      "of the mixed target p₁, the rate at which the first layer forgets; `inf` where it sees the token before alone"
    ),
    Column("p", "p, the rate of the positional head of the second layer"),
    Column("v1", "v₁, the weight of that head, which learns the 4-gram part"),
    Column("v", "v, the weight of the head that compares tokens, which learns the in-context part"),
    Column("wk", "w_K"), Column("wq", "w_Q"),
    Column("k", "w_K w_Q"),
    Column("loss.g4", "the part of L that the 4-gram makes"),
    Column("loss.ih", "the part of L that the in-context 2-gram makes"),
    Column("upper.‹name›", "the same of the further attention layer of a full transformer"),
    Column("wq.‹h›.‹i›.‹j›", "W_Q of head h, row i, column j"),
    Column("wk.‹h›.‹i›.‹j›", "W_K of head h"),
    Column("wq.‹i›.‹j›", "W_Q of a mixed target of several dimensions, row i, column j"),
    Column("wk.‹i›.‹j›", "W_K of a mixed target of several dimensions"),
    Column("wov.‹h›.‹i›.‹j›", "the value map of head h"),
    Column("w1.‹i›.‹j›", "the first matrix of the network"), Column("b1.‹i›", "its bias"),
    Column("w2.‹i›.‹j›", "the second matrix of the network"), Column("b2.‹i›", "its bias"),
    Column("ffn.gain.‹i›", "the gain of the normalisation after the network"),
    Column("ffn.bias.‹i›", "its bias"),
    Column("ln.gain.‹i›", "the gain of the normalisation after the first attention"),
    Column("ln.bias.‹i›", "its bias"),
    Column("b.‹i›.‹j›", "the matrix of a trained second attention"),
  ]

  private static let trajectory = TableReference(
    files: ["trajectory.csv"],
    meaning:
      "One row per sample of the flow. The first row of a stage is its start; t runs on over stages.",
    columns: [stage, Column("t", "time of the flow, θ′ = −∇L"), loss, gradientNorm] + state)

  private static let events = TableReference(
    files: ["events.csv"],
    meaning:
      "One row per moment that was looked for; with several runs first `flow` and `replicate`.",
    columns: [
      Column("flow", "number of the flow in the grid of the sweep, from 1"),
      Column("replicate", "number of the replicate, from 1"), stage,
      Column("name", "what was looked for, such as `selection.1+2`"),
      Column("t", "when it happened; where it was not reached the end of the stage, a lower bound"),
      Column(
        "t_error",
        "three times the change of t when the flow is solved again at a tenth of the tolerances; at least what the root finder resolves, and 10⁻¹² t"
      ),
      Column("status", "`reached` or `not reached`"),
      Column(
        "sampling_error", "the standard error of t from the sample that the loss is taken over"),
    ])

  private static let steps = TableReference(
    files: ["steps.csv"],
    meaning:
      "One row per accepted step of the solver; the last one of a stage ends beyond the stage's end.",
    columns: [
      stage, Column("t", "time at the end of the step"), Column("step", "its length"),
      Column("order", "the order of the method in it, 1 to 5 (BDF), to 12 (Adams)"),
      Column("error_estimate", "the estimated local error, in units of the tolerances; at most 1"),
      Column(
        "evaluations",
        "right-hand sides that the solver asked for so far in the stage; every accepted step and sample computes one gradient more"
      ),
      Column("linear_failures", "linear solves that did not converge, so far in the stage"),
    ])

  private static let claims = TableReference(
    files: ["claims.csv"],
    meaning: "One row per statement that was held against the flow; see the article *Claims*.",
    columns: [
      Column("claim", "the name of the law, such as `G2`"), Column("statement", "what is compared"),
      Column("derived", "what theory says for these data"),
      Column("measured", "what the flow shows"),
      Column("lower", "the lower end of the interval of what was measured"),
      Column("upper", "its upper end"),
      Column("verdict", "`holds`, `rejected` or `not applicable`"),
      Column("reference", "where the law comes from"),
      Column(
        "model_error",
        "how far the derived value may be off, because the law is the first term of an expansion"),
      Column("note", "why nothing was compared, or what belongs to this flow alone"),
      Column(
        "flow",
        "which flow of a sweep it is about; empty for a single one and for laws across flows"),
      Column(
        "relation",
        "how measured is to stand to derived: `equal`, `at most` or `at least`"),
    ])

  private static let flows = TableReference(
    files: ["flows.csv"],
    meaning:
      "One row per run of an experiment with `sweep` or `replicates`, at the top of its directory.",
    columns: [
      Column("flow", "number of the flow, from 1"),
      Column("replicate", "number of the replicate, from 1"),
      Column("path", "where the run is"),
      Column("status", "`finished`, `stopped`, `failed` or `not started`"), loss, gradientNorm,
    ] + summary + [
      Column("message", "why it failed"),
      Column(
        "‹key›", "one column per axis: the value of the key that is varied, such as `data.length`"),
    ])

  /// Where a flow ended, in a few numbers.
  private static let summary = [
    Column("leader", "the set with the largest share at the end"),
    Column("leading_share", "its share"),
    Column("unexplained", "of a full transformer the part of the scores that no set explains"),
    Column("a", "a at the end"), Column("p1", "p₁ at the end"), Column("p", "p at the end"),
    Column("v1", "v₁ at the end"), Column("v", "v at the end"), Column("k", "w_K w_Q at the end"),
  ]

  private static let diagram = TableReference(
    files: ["phase-diagram.csv"],
    meaning: "One row per run of a sweep, by `gradflow sweep collect`.",
    columns: [
      Column("number", "number in the ledger, from 1"),
      Column("flow", "number of the flow, from 1"),
      Column("replicate", "number of the replicate, from 1"),
      Column("status", "`finished`, `failed`, or `missing`"),
      Column(
        "t.‹event›",
        "when an event happened; where it was not reached the end of its stage, a lower bound"),
      Column("t_error.‹event›", "its numerical error"),
      Column("reached.‹event›", "`yes`, or `no` where t is a lower bound"),
    ] + summary + [
      Column("loss", "L at the end"), Column("gradient_norm", "‖∇L‖ at the end"),
      Column("steps", "accepted steps in all stages"),
      Column("error_test_failures", "steps that were repeated because their error was too large"),
      Column("linear_failures", "linear solves that did not converge"),
      Column("laws_hold", "whether all laws of the exact flow hold: `yes` or `no`"),
      Column("‹claim›.‹n›.statement", "the n-th statement of a claim"),
      Column("‹claim›.‹n›.derived", "what theory says"),
      Column("‹claim›.‹n›.model_error", "how far the derived value may be off"),
      Column("‹claim›.‹n›.measured", "what the flow shows"),
      Column("‹claim›.‹n›.lower", "lower end of the interval of the measured value"),
      Column("‹claim›.‹n›.upper", "its upper end"),
      Column("‹claim›.‹n›.verdict", "`holds`, `rejected` or `not applicable`"),
      Column("‹claim›.‹n›.relation", "`equal`, `at most` or `at least`"),
      Column("experiment_sha256", "SHA-256 of the run's experiment.yaml"),
      Column("program_version", "the program that ran it"),
      Column("commit", "the commit it was built from"),
      Column("message", "why it failed"),
      Column("‹key›", "one column per axis: the value of the key that is varied"),
    ])
}
