// The tables of discrete training, evaluation, planes, information and approximation.

extension TableReference {
  private static let step = Column("step", "steps since the stage began")

  static let training = TableReference(
    files: ["gd.csv", "momentum.csv", "sgd.csv", "adam.csv", "flow.csv"],
    meaning:
      "One row per recorded step of discrete training; `flow.csv` is the flow at the times of these rows. "
      + "Between t and sharpness stand the columns of `trajectory.csv`.",
    columns: [
      Column("stage", "the name of the stage"), step,
      Column("t", "the flow's time that the step corresponds to; empty where there is none (Adam)"),
      Column("sharpness", "λ_max of the Hessian over the trained parameters"),
      Column("‹name›", "a column of `trajectory.csv`"),
    ])

  static let distance = TableReference(
    files: ["distance.csv"],
    meaning: "One row per recorded step of every optimiser, beside the flow at the same time.",
    columns: [
      Column("optimizer", "`gd`, `momentum`, `sgd` or `adam`"),
      Column(
        "learning_rate",
        "the optimiser's own rate r: η of the stage, of heavy ball η(1 − β), of Adam `training.adam_rate`"
      ),
      Column("stage", "the name of the stage"), step, Column("t", "the flow's time"),
      Column("distance", "‖θ − θ_flow(t)‖"),
      Column("relative_distance", "that over the length of the flow's path up to t"),
      Column(
        "distance_to_path",
        "the distance to the nearest sample of the flow, no less than that to its path"),
      Column(
        "drift.‹law›", "how far what the flow conserves has moved, in the units of the law check"),
      Column("sharpness", "λ_max of the Hessian"),
      Column(
        "stability_limit",
        "the sharpness beyond which steps overshoot: 2/r, of heavy ball 2(1 + β)/r"
      ),
      Column("difference.‹name›", "how far an observable is from that of the flow"),
    ])

  static let convergence = TableReference(
    files: ["convergence.csv"],
    meaning: "One row per learning rate of gradient descent (`training.factors`).",
    columns: [
      Column("factor", "the learning rate, over that of the experiment"),
      Column("steps", "steps taken"),
      Column("status", "how it ended"), Column("distance", "largest ‖θ − θ_flow‖ at equal times"),
      Column("distance_over_path", "that over the length of the whole path"),
      Column(
        "order", "log of the ratio of distances over that of the rates, from the next larger rate"),
      Column("sharpness_share", "largest sharpness over its stability limit"),
    ])

  static let evaluation = TableReference(
    files: ["evaluation.csv"],
    meaning: "One row per prior, length and predictor, on fresh data.",
    columns: [
      Column("concentration", "α of the prior; empty where there is one kernel"),
      Column("length", "L"), Column("sequences", "how many were drawn"),
      Column(
        "predictor",
        "`model`, `GIH(S)` of the leading set S, `true kernel`, `in-context Bayes` or `uniform`"),
      Column("loss", "mean loss in nats"), Column("loss_se", "its standard error"),
      Column("excess", "loss above that of the true kernel, on the same sequences"),
      Column("excess_se", "its standard error"),
      Column("drop", "excess at the length before, less this one; paired"),
      Column("drop_se", "its standard error"),
    ])

  static let ablations = TableReference(
    files: ["ablations.csv"],
    meaning: "One row per ablation, prior and length (`gradflow evaluate --ablations`).",
    columns: [
      Column("ablation", "what was taken away"),
      Column("training_loss", "L at the end of its training"),
      Column("concentration", "α of the prior"), Column("length", "L"),
      Column("loss", "mean loss on fresh data in nats"), Column("loss_se", "its standard error"),
    ])

  static let field = TableReference(
    files: ["field.csv"],
    meaning: "One row per node of a plane; nodes without a flow have empty cells.",
    columns: [
      Column("x", "the coordinate `plane.x`"), Column("y", "the coordinate `plane.y`"),
      Column("dx", "x′ along the flow"), Column("dy", "y′ along the flow"), Column("loss", "L"),
      Column(
        "gradient_norm",
        "‖∇L‖ along the plane; with slaved parameters over all that the stage trains"),
      Column(
        "held_gradient_norm",
        "the slope along what is held: 0 where the plane is invariant, and with slaved parameters"),
    ])

  static let nullclines = TableReference(
    files: ["nullclines.csv"], meaning: "One row per point of a nullcline, curve by curve.",
    columns: [
      Column("of", "`dx` or `dy`, whichever is 0 there"),
      Column("curve", "number of the curve, from 1"),
      Column("x", "x"), Column("y", "y"),
      Column("residual", "what is left of dx or dy at the point"),
    ])

  static let fixedPoints = TableReference(
    files: ["fixed_points.csv"], meaning: "One row per point at which the flow stands still.",
    columns: [
      Column("x", "x"), Column("y", "y"),
      Column(
        "kind", "`minimum`, `saddle`, `maximum` or `degenerate`, by the signs of the eigenvalues"),
      Column("loss", "L"),
      Column(
        "gradient_norm",
        "‖∇L‖ along the plane, at most 1e-10; where `held_gradient_norm` of the field is not 0, the whole flow moves on"
      ),
      Column("eigenvalue.‹n›", "the n-th eigenvalue of the Hessian along what may move, ascending"),
      Column("at.‹parameter›", "θ at the point"),
    ])

  static let paths = TableReference(
    files: ["paths.csv"], meaning: "One row per sample of a path of the flow in the plane.",
    columns: [
      Column("path", "number of the path, from 1"), Column("t", "time from its start"),
      Column("x", "x"), Column("y", "y"), Column("loss", "L"),
    ])

  static let information = TableReference(
    files: ["information.csv"],
    meaning: "One row per set of lags, by `gradflow information --csv FILE`; means over chains.",
    columns: [
      Column("set", "the lags, such as `1+2`"), Column("size", "how many"),
      Column("modified", "Ĩ, the modified χ² information"),
      Column("modified_se", "its standard error over chains"),
      Column("standard", "I, the χ² mutual information"),
      Column("standard_se", "its standard error"),
      Column("logits", "G, what the flow of a loss of logits selects by"),
      Column("logits_se", "its standard error"),
      Column("deficit", "what the set has less than S*, paired"),
      Column("deficit_se", "its standard error"),
      Column("best", "1 if it is S*, else 0: by Ĩ, or by G where predictions are logits"),
      Column("‹kind›_jackknife_bias", "of a token file the bias that the jackknife finds"),
      Column("‹kind›_bias", "of a token file the first-order bias of the plug-in estimate"),
    ])

  static let chains = TableReference(
    files: ["chains.csv"],
    meaning: "One row per chain, by `gradflow information --chains-csv FILE`.",
    columns: [
      Column("chain", "number of the chain, from 0"), Column("entropy_rate", "in nats"),
      Column("spectral_gap", "1 − |λ₂|"), Column("relaxation_time", "1/(1 − |λ₂|), in tokens"),
      Column("recurrent_classes", "how many"), Column("period", "the period"),
      Column("transient_windows", "windows that are left for ever"),
      Column("standard.‹set›", "I of a set of lags"), Column("modified.‹set›", "Ĩ of a set"),
      Column("logits.‹set›", "G of a set"),
    ])

  private static let measured = Column("error", "the largest error that was measured")
  private static let bound = Column("bound", "the derived bound")
  private static let ratio = Column("ratio", "error over bound")

  static let bigrams = TableReference(
    files: ["bigrams.csv"],
    meaning: "One row per constructed transformer for IH₂ (`gradflow approximate`).",
    columns: [
      Column("dimension", "d, of a token"), Column("norm", "‖W*‖"), Column("length", "L"),
      Column("input", "the kind of the sequences: `uniform`, `signs` or `square-waves`"),
      Column("rate", "p, of the positional head"),
      Column("sequences", "how many"), measured, bound, ratio,
    ])

  static let lags = TableReference(
    files: ["lags.csv"], meaning: "One row per shift by a lag as a sum of exponentials.",
    columns: [
      Column("lag", "i"), Column("heads", "H, how many exponentials"),
      Column("nodes", "how the rates are chosen"),
      Column("budget", "the largest Σ|weights| allowed"),
      Column("error", "the exact ℓ¹ error"), Column("weight", "Σ|weights|"),
      Column("measured_error", "the error in double precision"),
      Column("rounding_floor", "Σ|weights|·2⁻⁵²"),
      Column("rounding_allowance", "what rounding may add"),
      Column("interpolating_error", "the error of the weights that interpolate"),
      Column("interpolating_weight", "their Σ|weights|"),
      Column("rates", "the rates, separated by spaces"),
    ])

  static let positions = TableReference(
    files: ["positions.csv"],
    meaning: "One row per position of a shift, near the start of a sequence, too.",
    columns: [
      Column("lag", "i"), Column("heads", "H"), Column("nodes", "how the rates are chosen"),
      Column("position", "from 1"), measured, Column("kernel_error", "the ℓ¹ error of the kernel"),
      Column("rounding_allowance", "what rounding may add"),
    ])

  static let patches = TableReference(
    files: ["patches.csv"], meaning: "One row per constructed transformer for IH_n.",
    columns: [
      Column("order", "n"), Column("heads", "H in all"),
      Column("nodes", "how the rates are chosen"),
      Column("budget", "the largest Σ|weights| allowed"), Column("dimension", "d"),
      Column("norm", "‖W*‖"),
      Column("input", "the kind of the sequences: `uniform`, `signs` or `square-waves`"),
      Column("sequences", "how many"), measured,
      bound, ratio,
      Column("kernel_error", "the ℓ¹ error of the longest lag, which is the largest"),
      Column("weight", "the largest Σ|weights| of a lag"),
      Column("rounding_floor", "Σ|weights|·2⁻⁵²"),
    ])

  static let similarities = TableReference(
    files: ["similarities.csv"],
    meaning: "One row per singular expansion of a similarity, for GIH₂.",
    columns: [
      Column("kernel", "the similarity"), Column("parameter", "its parameter"),
      Column("measure", "of the tokens"),
      Column("rank", "R"), Column("square_error", "the measured L² error"),
      Column("square_tail", "the ℓ² tail of the singular values"), measured, bound, ratio,
      Column("output_error", "the error of the output"), Column("output_bound", "its bound"),
    ])
}
