import DeclaredKeys
import MixedTargets

extension ExperimentKeys {
  // MARK: - Model

  static let family = Key<ModelFamily>.choice(
    "model.family", default: .value(.inductionHeads),
    "The transformer: TF(M, H, d, D), a full one with content, value maps, normalisation and a network, or "
      + "the six parameters of the mixed target")
  static let dimension = Key.integer(
    "model.dimension", IntegerRange(1...16), default: .value(1),
    "The dimension of a token of the mixed target; more than 1 needs loss.induction: reduced")
  static let isTied = Key.boolean(
    "model.tied", default: .value(false),
    "Whether W_K and W_Q are one and the same matrix; only with family: mixed-target")

  // MARK: - Target

  static let proportion = Key.real(
    "target.proportion", .positive,
    default: .described("none; required with model.family: mixed-target"), sample: "1",
    "α*, the ratio of the 4-gram part to the in-context 2-gram part")
  static let targetWeight = Key.real(
    "target.weight", .positive,
    default: .described("none; required with model.family: mixed-target"), sample: "0.5",
    "w*: tokens are compared with the weight w*²")
  static let form = Key<MixedTarget.Form>.choice(
    "target.form", default: .value(.vector),
    "Whether the two parts are components of a vector, or are added up")

  // MARK: - Loss and start

  static let induction = Key<InductionLoss>.choice(
    "loss.induction", default: .value(.reduced),
    "The in-context part of the mixed target: to leading order in 1/N, from a table of means at "
      + "finite N (p₁ = ∞), or all of the transformer on a sample")
  static let sigma = Key.real(
    "initial.sigma", .nonNegative,
    default: .described("none; required with model.family: mixed-target"), sample: "1.0e-4",
    "σ, where all parameters of the mixed target start")
  static let firstRate = Key.real(
    "initial.first_rate", .positive,
    default: .described("initial.sigma where a stage trains p1, else infinite"), sample: "10",
    "p₁ at the start; infinite, the first layer copies the previous token")

  // MARK: - Families

  /// What only the mixed target has.
  static let ofMixedTarget = [
    dimension.declaration, isTied.declaration, proportion.declaration, targetWeight.declaration,
    form.declaration, induction.declaration, sigma.declaration, firstRate.declaration,
  ]

  /// What transformers on Markov chains or tokens have.
  static let ofWindows = [
    source.declaration, file.declaration, vocabulary.declaration, parents.declaration,
    concentration.declaration, kernel.declaration, chains.declaration, start.declaration,
    heads.declaration, window.declaration, lags.declaration, ownLags.declaration,
    degree.declaration, emptySet.declaration, readout.declaration, normaliseKernel.declaration,
    outputs.declaration, floor.declaration, targets.declaration,
    coefficient.declaration, ownWeight.declaration, otherWeight.declaration,
    scale.declaration, noise.declaration, initialSeed.declaration, completeShare.declaration,
    evaluationLengths.declaration, evaluationConcentrations.declaration,
    evaluationSequences.declaration,
  ]
}
