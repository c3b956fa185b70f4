public import DeclaredKeys
public import MixedTargets

extension ComparisonMatrix.Form: KeyChoice {}
extension LagKernel.NodeChoice: KeyChoice {}
extension SimilarityKernel.Name: KeyChoice {}
extension SimilarityMeasure: KeyChoice {}
extension TokenInput: KeyChoice {}

/// The declared keys of a file for `gradflow approximate`.
public enum ApproximationKeys {
  /// All keys in the order in which files are written.
  public static let schema = KeySchema(
    [
      seed.declaration, samples.declaration, inputs.declaration,
      dimensions.declaration, norms.declaration, form.declaration, lengths.declaration,
      rates.declaration,
      largestRate.declaration, positions.declaration,
      lags.declaration, lag.declaration, lagHeads.declaration, lagNodes.declaration,
      lagBudgets.declaration,
      patches.declaration, order.declaration, patchHeads.declaration, patchNodes.declaration,
      patchBudgets.declaration, dimension.declaration, norm.declaration, patchLength.declaration,
      similarities.declaration, kernel.declaration, width.declaration, degree.declaration,
      measure.declaration, ranks.declaration, similarityLength.declaration,
    ],
    sections: [
      "sequences": "The sequences on which errors are measured, with ‖x‖_∞ ≤ 1",
      "bigrams": "IH₂ by a transformer with one head per layer; the part is run if rates are given",
      "slots": "What all kernels of lags have in common",
      "lags": "Shifts by one lag as sums of exponentials over heads",
      "patches": "IH_n by a transformer whose heads are shared by all lags",
      "similarities": "GIH₂ by the leading singular functions of a similarity",
    ])

  /// Sizes of weights beyond which rounding alone exceeds every error below 1.
  private static let budgetRange = RealRange(lower: .closed(0.01), upper: .closed(1e18))
  private static let headRange = IntegerRange(1...12)
  private static let lengthRange = IntegerRange(3...16_777_216)
  private static let normRange = RealRange(lower: .open(0), upper: .closed(1e4))

  // MARK: - Sequences

  static let seed = Key.integer(
    "sequences.seed", .atLeast(0), default: .value(1), "The seed of the sequences and of W*")
  static let samples = Key.integer(
    "sequences.samples", IntegerRange(1...1_000_000), unit: "sequences", default: .value(8),
    "How many random sequences there are of each kind")
  static let inputs = Key<[TokenInput]>.choices(
    "sequences.inputs", [.notEmpty, .distinct], default: .value(TokenInput.allCases),
    "The kinds: coordinates uniform on [−1, 1], random signs, and square waves of 1, 2, 4, …, 64 "
      + "tokens, which are adversarial")

  // MARK: - IH₂

  static let dimensions = Key.integers(
    "bigrams.dimensions", IntegerRange(1...1024), [.notEmpty, .distinct], default: .value([1]),
    "The dimensions d of a token")
  static let norms = Key.reals(
    "bigrams.norms", normRange, [.notEmpty, .distinct], default: .value([1]),
    "The norms ‖W*‖_{1,1}, the sum of the absolute entries")
  static let form = Key<ComparisonMatrix.Form>.choice(
    "bigrams.form", default: .value(.diagonal),
    "The form of W*: a multiple of the identity, all entries equal, or random")
  static let lengths = Key.integers(
    "bigrams.lengths", lengthRange, [.notEmpty, .distinct], unit: "tokens",
    default: .value([1000]), "The lengths L")
  static let rates = Key.reals(
    "bigrams.rates", RealRange(lower: .open(0), upper: .closed(600)), [.notEmpty, .distinct],
    default: .described("none; without it the part is left out"), sample: "[1, 10, 30]",
    "The rates p of the first layer")

  // MARK: - Lag kernels

  static let largestRate = Key.real(
    "slots.largest_rate", RealRange(lower: .closed(1), upper: .closed(300)), default: .value(30),
    "The largest rate that optimised nodes may have")
  static let positions = Key.integers(
    "slots.positions", IntegerRange(2...100_000), [.distinct], unit: "positions",
    default: .value([2, 3, 4, 5, 6, 8, 12, 16, 32, 64, 128]),
    "The positions s at which the kernel of the softmax over s − 1 tokens is looked at")
  static let lags = Key.mappings(
    "lags", default: .described("none"),
    sample: "[{lag: 2, heads: [2, 4], budgets: [1.0e+4]}]", "The lags that are studied alone")
  static let lag = Key.integer(
    "lags[].lag", IntegerRange(1...12), unit: "positions", default: .required, sample: "2",
    "The lag i")
  static let lagHeads = Key.integers(
    "lags[].heads", headRange, [.notEmpty, .distinct], unit: "heads", default: .required,
    sample: "[2, 4]", "The numbers of heads H; below i nothing beats the zero kernel")
  static let lagNodes = Key<[LagKernel.NodeChoice]>.choices(
    "lags[].nodes", [.notEmpty, .distinct], default: .value(LagKernel.NodeChoice.allCases),
    "How nodes are chosen: q_h = 2^−h, or searched for the least error")
  static let lagBudgets = Key.reals(
    "lags[].budgets", budgetRange, [.notEmpty, .distinct], default: .required,
    sample: "[1.0e+2, 1.0e+4]", "The most that the sum of the absolute output weights may be")

  // MARK: - IH_n

  static let patches = Key.mappings(
    "patches", default: .described("none"),
    sample: "[{order: 3, heads: [4], budgets: [1.0e+4]}]", "The orders n of IH_n that are studied")
  static let order = Key.integer(
    "patches[].order", IntegerRange(2...13), default: .required, sample: "3",
    "The order n: patches have n − 1 tokens")
  static let patchHeads = Key.integers(
    "patches[].heads", headRange, [.notEmpty, .distinct], unit: "heads", default: .required,
    sample: "[4]", "The numbers of heads H that all lags share, at least n − 1")
  static let patchNodes = Key<[LagKernel.NodeChoice]>.choices(
    "patches[].nodes", [.notEmpty, .distinct], default: .value(LagKernel.NodeChoice.allCases),
    "How nodes are chosen: q_h = 2^−h, or searched for the lag n − 1")
  static let patchBudgets = Key.reals(
    "patches[].budgets", budgetRange, [.notEmpty, .distinct], default: .required,
    sample: "[1.0e+4]", "The most that the sum of the absolute weights into a slot may be")
  static let dimension = Key.integer(
    "patches[].dimension", IntegerRange(1...1024), default: .value(1), "The dimension d of a token")
  static let norm = Key.real(
    "patches[].norm", normRange, default: .value(1), "The norm ‖W*‖_{1,1}; W* is diagonal")
  static let patchLength = Key.integer(
    "patches[].length", lengthRange, unit: "tokens", default: .value(1000),
    "The length L, at least n + 1")

  // MARK: - GIH₂

  static let similarities = Key.mappings(
    "similarities", default: .described("none"),
    sample: "[{kernel: absolute, ranks: [4, 16, 64]}]", "The similarities that are expanded")
  static let kernel = Key<SimilarityKernel.Name>.choice(
    "similarities[].kernel", default: .required, sample: "absolute",
    "g(u, v): exp(−(u − v)²/(2w²)), (1 + uv)^m, or |u − v|")
  static let width = Key.real(
    "similarities[].width", .positive,
    default: .described("none; required with kernel: gaussian"), sample: "0.5", "The width w")
  static let degree = Key.integer(
    "similarities[].degree", IntegerRange(1...60),
    default: .described("none; required with kernel: polynomial"), sample: "4", "The degree m")
  static let measure = Key<SimilarityMeasure>.choice(
    "similarities[].measure", default: .value(.uniform),
    "The measure μ of the expansion: uniform on [−1, 1], or the standard normal law, with errors "
      + "taken over [−3, 3]")
  static let ranks = Key.integers(
    "similarities[].ranks", IntegerRange(1...256), [.notEmpty, .distinct], default: .required,
    sample: "[4, 16, 64]", "The ranks R")
  static let similarityLength = Key.integer(
    "similarities[].length", IntegerRange(3...100_000), unit: "tokens", default: .value(300),
    "The length L of the sequences on which GIH₂ is compared")
}
