import DeclaredKeys

extension ExperimentKeys {
  // MARK: - Initial parameters

  static let initialFile = Key.file(
    "initial.file", default: .described("none"), sample: "../runs/0001-three-stage/final.yaml",
    "Another run's final parameters to start from, relative to the experiment file's folder; "
      + "excludes the other keys of this section except noise and seed")
  static let coefficient = Key.real(
    "initial.coefficient", .nonZero, default: .described("1/√(number of subsets), so that C_D = 1"),
    sample: "0.408", "The coefficient c_S of every subset S")
  static let ownWeight = Key.real(
    "initial.own_weight", .any, default: .value(3), "The weight w⁺ on each head's own lag")
  static let otherWeight = Key.real(
    "initial.other_weight", .any, default: .value(0), "The weight w⁻ on the other lags")
  static let scale = Key.real(
    "initial.scale", .any, default: .value(0.01), "The scalar a at the start")
  static let noise = Key.real(
    "initial.noise", .nonNegative, default: .value(0),
    "The standard deviation of Gaussian noise added to c and w, of a full transformer to all but a")
  static let initialSeed = Key.integer(
    "initial.seed", .atLeast(0), default: .described("data.seed"), sample: "1",
    "The seed of the noise")
  static let values = Key.numbers(
    "initial.values", .any, default: .described("none"), sample: "{c.1+2: 0.5, w.1.3: 0.1}",
    "Single parameters that start elsewhere, by name: c.1+2, w.1.3, a; of the mixed target p, v1, v, "
      + "wk, wq")

  // MARK: - Stages

  static let stages = Key.mappings(
    "stages", .notEmpty, default: .required, "The stages of training, one after the other")
  static let stageName = Key.identifier(
    "stages[].name", default: .required, sample: "selection",
    "The stage's name, unique among the stages")
  static let train = Key<[ParameterGroup]>.choices(
    "stages[].train", [.notEmpty, .distinct], default: .required, sample: "[c]",
    "The parameters that move: c (subsets), w (heads), a (second layer); of the mixed target p1 "
      + "(first layer), p and v1 (positional head), v and w (the head that compares tokens); of a full "
      + "transformer also wq, wk, wov, ln (heads), ffn (network), b (second attention), upper.w and its like"
  )
  static let until = Key.real(
    "stages[].until", .positive, unit: "flow time", default: .required, sample: "1.0e+5",
    "How long the stage lasts on its own clock")
  static let stopWhen = Key.mappings(
    "stages[].stop_when", default: .described("none"),
    sample: "[{quantity: gradient_norm, below: 1.0e-10}]",
    "Conditions that end the stage earlier, whichever comes first")
  static let quantity = Key.string(
    "stages[].stop_when[].quantity", default: .required, sample: "gradient_norm",
    "A column of trajectory.csv, such as gradient_norm, loss, share.1+2, attention.1.1 or a")
  static let above = Key.real(
    "stages[].stop_when[].above", .any, default: .described("none; exactly one of above and below"),
    "The stage ends when the quantity rises above this")
  static let below = Key.real(
    "stages[].stop_when[].below", .any, default: .described("none; exactly one of above and below"),
    sample: "1.0e-10", "The stage ends when the quantity falls below this")

  // MARK: - Solver

  static let method = Key<IntegrationMethod>.choice(
    "solver.method", default: .value(.bdf),
    "The multistep family: bdf for stiff flows, adams for others")
  static let linearSolver = Key<LinearSolver>.choice(
    "solver.linear_solver", default: .value(.automatic),
    "How a step's equations are solved; auto: dense up to \(LinearSolver.largestDenseCount) parameters, spgmr above; "
      + "fixed-point needs method: adams")
  static let krylovDimension = Key.integer(
    "solver.krylov_dimension", IntegerRange(1...1000), default: .value(60),
    "The largest Krylov space of spgmr and pcg")
  static let relativeTolerance = Key.real(
    "solver.relative_tolerance", RealRange(lower: .closed(1e-13), upper: .closed(0.1)),
    default: .value(1e-8), "The relative error allowed in a step")
  static let absoluteTolerance = Key.real(
    "solver.absolute_tolerance", RealRange(lower: .open(0), upper: .closed(1)),
    default: .value(1e-10),
    "The absolute error allowed in a step")
  static let stepLimit = Key.integer(
    "solver.step_limit", IntegerRange(1...1_000_000_000), unit: "steps per stage",
    default: .value(100_000),
    "The number of steps after which a stage gives up")
  static let checkpointSteps = Key.integer(
    "solver.checkpoint_steps", .atLeast(20), unit: "steps", default: .value(2000),
    "After so many steps of a stage the solver starts anew, and a run can be resumed from there")
  static let eventErrors = Key.boolean(
    "solver.event_errors", default: .value(true),
    "Whether a second solve at a tenth of the tolerances gives event times their error bars")

  // MARK: - Events

  static let completeShare = Key.real(
    "events.complete_share", RealRange(lower: .closed(0.5), upper: .open(1)),
    default: .described("1 − 1/data.length; 0.99 with source: population"), sample: "0.99",
    "The share p_S at which selection-complete.S is located")

  // MARK: - Sampling

  static let first = Key.real(
    "sampling.first", .positive, unit: "flow time", default: .value(0.01),
    "The first sample of a stage on its own clock")
  static let perDecade = Key.integer(
    "sampling.per_decade", .atLeast(1), unit: "samples", default: .value(20),
    "Samples per factor of ten in time")
  static let sharpness = Key.boolean(
    "sampling.sharpness", default: .value(false),
    "Whether the Hessian's largest eigenvalue is recorded at every sample")
}
