import Corpora
import DeclaredKeys
import InductionHeads
import MarkovChains
import Objectives

/// A transformer TF(M, H, d, D), or a full one, and its data, planned: nothing is sampled yet, and nothing large allocated
/// except for tokens that are read from a file.
struct InductionHeadPlan: PlannedSystem {
  let loaded: LoadedExperiment
  let settings: InductionHeadSettings
  /// The model whose flow is followed.
  let model: any WindowModel
  /// The one that discrete optimisers train: the same but for a rectifier, with which there is no classical flow.
  let trainedModel: any WindowModel
  /// Which lags a full transformer compares windows at.
  private let shares: LearnedShares?
  let data: PlannedData
  let start: [Double]
  let size: ProblemSize

  /// What the loss is taken over.
  enum PlannedData {
    /// Sequences of finite length.
    case sequences(any SequenceSource)
    /// Chains in infinite context: chain i is that of sequence i under the same seed.
    case population(SequenceSampler.Source, chains: [Int], seed: UInt64)

    /// How many sequences or chains there are.
    var count: Int {
      switch self {
      case .sequences(let sequences): sequences.sequenceCount
      case .population(_, let chains, _): chains.count
      }
    }

    /// Some of them.
    func chosen(_ indices: [Int]) -> PlannedData {
      switch self {
      case .sequences(let sequences): .sequences(ChosenSequences(indices, of: sequences))
      case .population(let source, let chains, let seed):
        .population(source, chains: indices.map { chains[$0] }, seed: seed)
      }
    }
  }

  /// Plans a transformer.
  ///
  /// - Parameters:
  ///   - loaded: the experiment.
  ///   - settings: its transformer and data.
  ///   - memoryLimit: bytes that may be used; nil for no limit.
  ///   - earlier: a plan whose tokens are taken over if they come from the same file.
  /// - Throws: `DocumentError` when something about it shows only now: a token file that does not fit,
  ///   a problem larger than the memory.
  init(
    _ loaded: LoadedExperiment, _ settings: InductionHeadSettings, memoryLimit: Int?,
    reusing earlier: InductionHeadPlan?
  ) throws(DocumentError) {
    self.loaded = loaded
    self.settings = settings
    trainedModel = Self.model(settings, length: settings.data.length)
    let model = (trainedModel as? FullTransformer)?.smoothed ?? trainedModel
    self.model = model
    shares = (model as? FullTransformer).map { LearnedShares($0) }
    try Self.check(loaded, settings, model)
    let isDense =
      loaded.experiment.solver.linearSolver.chosen(parameters: model.layout.count) == .dense
    // The bound comes before the tokens of a file are read.
    switch settings.data.source {
    case .chains(let chains):
      let size = ProblemSize(
        model: model, settings: settings, isDense: isDense, sequences: chains.sequences,
        length: chains.length)
      try Self.check(size, loaded, settings, length: chains.length, memoryLimit)
      let sampler = SequenceSampler(
        source: try Self.chainSource(
          loaded, chains.kernels, vocabulary: settings.data.vocabulary, parents: chains.parents,
          memoryLimit),
        start: chains.start == .stationary ? .stationary : .uniform,
        seed: UInt64(settings.data.seed))
      data = .sequences(
        SampledSequences(sampler, count: chains.sequences, length: chains.length))
      self.size = size
    case .population(let population):
      size = ProblemSize(
        model: model, settings: settings, isDense: isDense, population: population)
      try Self.check(size, loaded, settings, length: nil, memoryLimit)
      let source = try Self.chainSource(
        loaded, population.kernels, vocabulary: settings.data.vocabulary,
        parents: population.parents, memoryLimit)
      data = .population(
        source, chains: Array(0..<population.chains), seed: UInt64(settings.data.seed))
    case .tokens:
      let stored = try Self.storedSequences(
        loaded, settings, model, memoryLimit, earlier?.storedSequences(for: settings.data))
      size = ProblemSize(
        model: model, settings: settings, isDense: isDense, sequences: stored.sequenceCount,
        length: stored.length)
      try Self.check(size, loaded, settings, length: stored.length, memoryLimit)
      data = .sequences(stored)
    }
    start = try Self.start(loaded, settings, model)
  }

  var layout: ParameterLayout { model.layout }
  var observableNames: [String] { model.observableNames }

  func prepared(threads: Int, sharing shared: SharedData) -> any PreparedSystem {
    let key = SharedData.Key(
      data: settings.data, loss: settings.loss, completeShare: settings.completeShare,
      shape: model.windowShape, pairs: model.pairs, featureWidth: model.featureWidth)
    let loss = shared.loss(for: key) { posed(data, threads: threads) }
    return PreparedInductionHeads(plan: self, objective: model.objective(loss), threads: threads)
  }

  /// Samples and compresses the sequences, or finds the stationary laws.
  ///
  /// - Parameters:
  ///   - data: all of this plan's, or some of them.
  ///   - threads: threads to use; the result does not depend on it.
  /// - Returns: the data, posed to this plan's models.
  func posed(_ data: PlannedData, threads: Int) -> WindowLoss {
    switch data {
    case .sequences(let sequences):
      let targets: CompressedCorpus.Targets =
        settings.loss.targets == .expected
        ? .expected : model.loss.seesEveryToken ? .sampledAmongAll : .sampled
      return WindowLoss(
        model,
        corpus: CompressedCorpus(
          sequences, shape: model.windowShape, targets: targets, pairs: model.pairs,
          threads: threads),
        length: sequences.length, completeShare: settings.completeShare, threads: threads)
    case .population(let source, let chains, let seed):
      return WindowLoss(
        model,
        population: PopulationLaw(
          chains: chains.map { source.chain(seed: seed, index: UInt64($0)) },
          shape: model.windowShape, threads: threads),
        completeShare: settings.completeShare)
    }
  }

  func summary(at parameters: [Double]) -> SystemSummary {
    if let model = model as? GIHTransformer { return summary(of: model, at: parameters) }
    if let shares { return summary(shares, at: parameters) }
    preconditionFailure("a model without a summary")
  }

  /// The leading set of lags with its share, what shares do not explain, and a.
  private func summary(_ shares: LearnedShares, at parameters: [Double]) -> SystemSummary {
    let learned = shares.selection(at: parameters)
    let leader = GIHTransformer.notation(of: learned.leader.map { $0 - 1 })
    let scale = parameters.last ?? 0
    return SystemSummary(
      quantities: [
        .init("leader", leader), .init("leading_share", learned.leadingShare),
        .init("unexplained", learned.unexplained), .init("a", scale),
      ],
      progress: "lags \(leader) \(learned.leadingShare.formatted("%.3f"))  unexplained "
        + "\(learned.unexplained.formatted("%.3f"))  a \(scale.formatted("%.4g"))",
      sentence: "share of lags \(leader) \(learned.leadingShare.formatted("%.6g")), of the scores' "
        + "variance \(learned.unexplained.formatted("%.4f")) unexplained by agreement, a = "
        + scale.formatted("%.6g"))
  }

  /// The leading subset with its share, each head's attention on its own lag, and a.
  private func summary(of model: GIHTransformer, at parameters: [Double]) -> SystemSummary {
    let shares = model.shares(at: parameters.span)
    let best = model.leader(at: parameters.span)
    let leader = GIHTransformer.notation(of: model.coefficientSubsets[best])
    let own = zip(model.heads, model.attention(at: parameters.span)).map { head, weights in
      zip(head.lags, weights).reduce(0) { $1.0 == head.ownLag ? $1.1 : $0 }
    }
    let scale = parameters.last ?? 0
    func text(_ values: [Double], _ format: String) -> String {
      values.map { $0.formatted(format) }.joined(separator: " ")
    }
    return SystemSummary(
      quantities: [
        .init("leader", leader), .init("leading_share", shares[best]), .init("a", scale),
      ],
      progress:
        "\(leader) \(shares[best].formatted("%.3f"))  σ \(text(own, "%.3f"))  a \(scale.formatted("%.4g"))",
      sentence: "share of \(leader) \(shares[best].formatted("%.6g")), attention on own lags "
        + "\(text(own, "%.4f")), a = \(scale.formatted("%.6g"))")
  }

  func infiniteStart(_ loss: Double) -> DocumentError {
    if let layers = settings.model.layers, loss.isNaN, layers.normFloor == 0 {
      return loaded.error(
        at: ExperimentKeys.normFloor.address(),
        found: "0, with which \(notFinite(loss, " at the start"))",
        allowed: "a floor above zero where a layer normalisation meets features that are all equal",
        advice: "set model.norm_floor: 1.0e-5, or start where no position's features are all equal")
    }
    guard settings.loss.outputs == .probabilities else {
      return loaded.error(
        at: ExperimentKeys.scale.address(), found: "a start at which \(notFinite(loss))",
        allowed: "a start at which the loss and its gradient are finite",
        advice: "start at smaller values")
    }
    return loaded.error(
      at: ExperimentKeys.floor.address(),
      found: "\(settings.loss.floor), with which \(notFinite(loss, " at the start"))",
      allowed: "a floor that keeps the loss and its gradient finite",
      advice: "a token that can come next never occurs in the read-out of some sequence; "
        + "set a positive floor such as 1e-6")
  }
}
