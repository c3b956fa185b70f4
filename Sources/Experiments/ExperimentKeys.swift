public import DeclaredKeys

/// The declared keys of an experiment file.
public enum ExperimentKeys {
  /// All keys in the order in which experiments are written.
  public static let schema = KeySchema(
    [
      source.declaration, file.declaration, vocabulary.declaration, parents.declaration,
      concentration.declaration, kernel.declaration, chains.declaration, start.declaration,
      sequences.declaration, length.declaration, dataSeed.declaration,
      family.declaration, heads.declaration, window.declaration, lags.declaration,
      ownLags.declaration,
      degree.declaration, emptySet.declaration, readout.declaration,
      positions.declaration, normaliseHeads.declaration, normaliseKernel.declaration,
      content.declaration, valueMaps.declaration, ownPosition.declaration, headNorm.declaration,
      normFloor.declaration, comparison.declaration, hidden.declaration, features.declaration,
      activation.declaration, networkNorm.declaration, bilinear.declaration,
      rectifier.declaration, upperHeads.declaration, upperWindow.declaration,
      dimension.declaration, isTied.declaration,
      proportion.declaration, targetWeight.declaration, form.declaration,
      outputs.declaration, floor.declaration, targets.declaration, induction.declaration,
      initialFile.declaration, sigma.declaration, firstRate.declaration, coefficient.declaration,
      ownWeight.declaration,
      otherWeight.declaration, projection.declaration, valueMap.declaration,
      networkScale.declaration, scale.declaration, noise.declaration, initialSeed.declaration,
      values.declaration,
      stages.declaration, stageName.declaration, train.declaration, until.declaration,
      stageRate.declaration,
      stopWhen.declaration, quantity.declaration, above.declaration, below.declaration,
      method.declaration, linearSolver.declaration, krylovDimension.declaration,
      relativeTolerance.declaration, absoluteTolerance.declaration, stepLimit.declaration,
      checkpointSteps.declaration,
      eventErrors.declaration,
      completeShare.declaration,
      first.declaration, perDecade.declaration, sharpness.declaration,
    ] + ofTraining + ofEvaluation + [claims.declaration] + ofFigures + ofPlane + [
      replicates.declaration, sweep.declaration, sweepKey.declaration, sweepValues.declaration,
      sweepSpacing.declaration, sweepPair.declaration, drawCount.declaration,
      drawMethod.declaration, drawSeed.declaration,
      sweepFrom.declaration, sweepTo.declaration, sweepCount.declaration,
    ],
    sections: [
      "data":
        "The sequences: n-gram Markov chains, of finite or infinite length, tokens from a file, or "
        + "Gaussian tokens for the mixed target",
      "model": "The transformer: TF(M, H, d, D), a full one, or that of the mixed target",
      "target": "The mixed target: a 4-gram part and an in-context 2-gram part",
      "loss":
        "The loss: −E log(y + ε), −E log softmax(y), or ½ E‖target − output‖² for the mixed target",
      "initial": "Where the flow starts",
      "stages": "What is trained, in order",
      "solver": "How the flow is integrated",
      "events": "The moments that are located",
      "sampling": "When the trajectory is sampled, beside every stage boundary",
      "training": "Discrete optimisers beside the flow",
      "evaluation": "Fresh data for the trained model",
      "plane": "The plane of gradflow phase-plane",
    ])

  /// The keys of experiments of one family.
  public static func schema(of family: ModelFamily) -> KeySchema {
    let foreign = Set(foreign(to: family).map(\.path))
    return KeySchema(
      schema.keys.filter { !foreign.contains($0.path) }, sections: schema.sectionMeanings)
  }

  /// Seeds are what every program can hold: 0…2^63−1.
  private static let seeds = IntegerRange.atLeast(0)

  // MARK: - Data

  static let source = Key<SourceKind>.choice(
    "data.source", default: .value(.chains),
    "Where the sequences come from: sampled chains, chains in infinite context (population), or "
      + "a file of tokens")
  static let file = Key.file(
    "data.file", default: .described("none; required with source: tokens"), sample: "tokens.npy",
    "The token file, relative to the experiment file's folder; only with source: tokens")
  static let vocabulary = Key.integer(
    "data.vocabulary", IntegerRange(2...256), unit: "tokens",
    default: .described("none; required but for the mixed target"), sample: "3",
    "The number of tokens d")
  static let parents = Key.integers(
    "data.parents", .atLeast(1), [.notEmpty, .distinct], unit: "positions",
    default: .described("none; required with source: chains or population"), sample: "[1, 2]",
    "The lags of the parents of a token; not with source: tokens")
  static let concentration = Key.real(
    "data.concentration", .positive,
    default: .described(
      "none; required with source: chains or population, unless there is a kernel"),
    sample: "0.1",
    "The concentration α of the Dirichlet prior of the kernel's rows; not with source: tokens")
  static let kernel = Key.file(
    "data.kernel", default: .described("none"), sample: "kernel.txt",
    "One kernel for all sequences, relative to the experiment file's folder: d^n rows of d "
      + "probabilities, the token at the smallest parent lag changing fastest; excludes "
      + "concentration")
  static let chains = Key.integer(
    "data.chains", .atLeast(1), unit: "chains",
    default: .described("none; required with source: population, unless there is a kernel"),
    sample: "1000",
    "The number of chains K drawn from the prior; only with source: population")
  static let start = Key<ChainStart>.choice(
    "data.start", default: .value(.stationary),
    "The law of a chain's first tokens; only with source: chains")
  static let sequences = Key.integer(
    "data.sequences", .atLeast(1), unit: "sequences",
    default: .described(
      "all in the file; required with source: chains, and where the mixed target is sampled"),
    sample: "10000", "The number of sequences N")
  static let length = Key.integer(
    "data.length", IntegerRange(1...16_777_216), unit: "tokens",
    default: .described("that of the file; required with source: chains"), sample: "100",
    "The length L of a sequence, without its target; a token file must agree with it. Of the mixed "
      + "target all tokens, at least 4, and infinite where it is left out")
  static let dataSeed = Key.integer(
    "data.seed", seeds, default: .value(1), "The seed of kernels and tokens")

  // MARK: - Model

  static let heads = Key.integer(
    "model.heads", IntegerRange(1...12), unit: "heads",
    default: .described("none; required but for the mixed target"), sample: "3",
    "The number of heads H")
  static let window = Key.integer(
    "model.window", IntegerRange(1...1024), unit: "positions",
    default: .described("none; required but for the mixed target"), sample: "3",
    "The window M: how far back a head may look")
  static let lags = Key.integerLists(
    "model.lags", .atLeast(1), [.notEmpty, .distinct], unit: "positions",
    default: .described("1…M for every head"), sample: "[[1, 2, 3], [1, 2, 3], [1, 2, 3]]",
    "For each head the lags that it may look at, up to M")
  static let ownLags = Key.integers(
    "model.own_lags", .atLeast(1), [.notEmpty], unit: "positions",
    default: .described("head h has its h-th lag; required when there is none"),
    sample: "[1, 2, 3]", "For each head the lag that gets the weight initial.own_weight")
  static let degree = Key.integer(
    "model.degree", IntegerRange(1...12), unit: "heads",
    default: .described("none; required but for the mixed target"), sample: "2",
    "The degree D of the polynomial kernel, at most H: the size of the largest subset of heads")
  static let emptySet = Key.boolean(
    "model.empty_set", default: .value(false), "Whether the empty set is among the subsets")
  static let readout = Key<Readout>.choice(
    "model.readout", default: .value(.fullWindow),
    "The positions that the second layer reads: l = M+1…L, or l = 1…L")

  static let positions = Key<PositionalWeights>.choice(
    "model.positions", default: .value(.relative),
    "Whether a head has one weight per lag, or one per lag and position; not with source: population"
  )
  static let normaliseHeads = Key.boolean(
    "model.normalise_heads", default: .value(false),
    "Whether every head's output is divided by its norm, plus 1e-7, before positions are compared")
  static let normaliseKernel = Key.boolean(
    "model.normalise_kernel", default: .value(true),
    "Whether the kernel is divided by C_D, the sum of all c_S²")

  // MARK: - Loss

  static let outputs = Key<OutputKind>.choice(
    "loss.outputs", default: .value(.probabilities),
    "What a prediction y is taken for: probabilities, −log(y + ε), or logits, −log softmax(y)")
  static let floor = Key.real(
    "loss.floor", .nonNegative, unit: "probability", default: .value(1e-6),
    "The floor ε inside the logarithm; only with outputs: probabilities")
  static let targets = Key<Targets>.choice(
    "loss.targets", default: .value(.sampled),
    "Whether the next token is the one drawn, or weighed by the chain's kernel; "
      + "not with source: population, where it always is")
}
