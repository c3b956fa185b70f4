import DeclaredKeys

extension ExperimentKeys {
  // MARK: - Discrete training

  static let optimizers = Key<[OptimizerName]>.choices(
    "training.optimizers", .distinct, default: .value([]), sample: "[gd, momentum, sgd, adam]",
    "What trains beside the flow, from the same start on the same data: gradient descent, heavy ball, "
      + "mini-batches, Adam; gradflow compare takes all where none is named")
  static let learningRate = Key.real(
    "training.learning_rate", .positive, unit: "flow time per step", default: .value(1),
    "The learning rate η: a step of gd or sgd goes on by η in time")
  static let stageRate = Key.real(
    "stages[].learning_rate", .positive, unit: "flow time per step",
    default: .described("training.learning_rate"), sample: "1",
    "The learning rate η of this stage, at most until; it has until/η steps, the last one shortened"
  )
  static let momentum = Key.real(
    "training.momentum", RealRange(lower: .closed(0), upper: .open(1)), default: .value(0.9),
    "β of the heavy ball, whose rate is η(1 − β), so that a step goes on by η in time, too")
  static let batch = Key.integer(
    "training.batch", .atLeast(1), unit: "sequences", default: .value(256),
    "The sequences of a mini-batch, or chains in infinite context; they are shuffled in every epoch"
  )
  static let adamRate = Key.real(
    "training.adam_rate", .positive, default: .value(0.01),
    "The learning rate of Adam, which makes as many steps as gd; β₁ = 0.9, β₂ = 0.999, ε = 1e-8")
  static let factors = Key.reals(
    "training.factors", .positive, .distinct, default: .value([]),
    sample: "[4, 2, 1, 0.5, 0.25, 0.125]",
    "Multiples of the learning rate at which gd is held against the flow, for the order of convergence"
  )

  // MARK: - Figures

  static let figures = Key.mappings(
    "figures", default: .described("none"),
    sample: "[{quantity: a, step: 1, value: 0.0641, relative: 0.05}]",
    "Figures to be met by the mean over all replicates, such as published ones")
  static let figureQuantity = Key.string(
    "figures[].quantity", default: .required, sample: "share.1+2", "A column of trajectory.csv")
  static let figureStage = Key.identifier(
    "figures[].stage", default: .described("the only stage"), sample: "classification",
    "The stage")
  static let figureStep = Key.integer(
    "figures[].step", .atLeast(0), unit: "steps",
    default: .described("none; exactly one of step and time"), sample: "1",
    "After so many steps of gd in the stage")
  static let figureTime = Key.real(
    "figures[].time", .nonNegative, unit: "flow time",
    default: .described("none; exactly one of step and time"), sample: "100",
    "At this time of the flow, on the stage's own clock")
  static let figureValue = Key.real(
    "figures[].value", .any, default: .required, sample: "0.0641", "The figure")
  static let figureRelative = Key.real(
    "figures[].relative", .positive,
    default: .described("none; exactly one of relative and absolute"), sample: "0.05",
    "How far off the mean may be, as a share of the figure")
  static let figureAbsolute = Key.real(
    "figures[].absolute", .positive,
    default: .described("none; exactly one of relative and absolute"), sample: "0.03",
    "How far off the mean may be, in the figure's unit")

  /// In the order in which experiments are written.
  static let ofTraining = [
    optimizers.declaration, learningRate.declaration, momentum.declaration, batch.declaration,
    adamRate.declaration, factors.declaration,
  ]

  /// In the order in which experiments are written.
  static let ofFigures = [
    figures.declaration, figureQuantity.declaration, figureStage.declaration,
    figureStep.declaration, figureTime.declaration, figureValue.declaration,
    figureRelative.declaration, figureAbsolute.declaration,
  ]
}
