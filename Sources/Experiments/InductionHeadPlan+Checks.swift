import Corpora
import DeclaredKeys
import Foundation
import GradientFlow
import InductionHeads
import MarkovChains
import Objectives

// What can be told about an experiment only once its model stands.

extension InductionHeadPlan {
  /// The transformer of some settings.
  ///
  /// - Parameters:
  ///   - settings: model, loss and vocabulary.
  ///   - length: L, where it is known; positions can have weights of their own only then.
  /// - Returns: the transformer.
  static func model(_ settings: InductionHeadSettings, length: Int?) -> any WindowModel {
    let model = settings.model
    let heads = zip(model.lags, model.ownLags).map { GIHTransformer.Head(lags: $0, ownLag: $1) }
    let readOut: WindowShape.ReadOutRange =
      model.readout == .fullWindow ? .fullWindow : .allPositions
    if let layers = model.layers {
      return FullTransformer(
        vocabulary: settings.data.vocabulary,
        attention: [layers.attention(heads)] + layers.upperAttention,
        comparison: layers.comparison(model), readOut: readOut, loss: settings.loss.output)
    }
    return GIHTransformer(
      vocabulary: settings.data.vocabulary, heads: heads,
      window: model.window, degree: model.degree, hasEmptySet: model.hasEmptySet,
      readOut: readOut,
      loss: settings.loss.output, normalisesHeads: model.normalisesHeads,
      normalisesKernel: model.normalisesKernel,
      length: model.positions == .absolute ? length : nil)
  }

  static func check(
    _ loaded: LoadedExperiment, _ settings: InductionHeadSettings, _ model: any WindowModel
  ) throws(DocumentError) {
    if model.windowShape.codeCount == nil {
      throw loaded.error(
        at: ExperimentKeys.window.address(),
        found: "\(model.windowShape.lags.count) lags over \(model.vocabulary) tokens",
        allowed: "fewer than 2^63 different windows",
        advice: "let the heads look at fewer lags, or use a smaller vocabulary")
    }
    let law: (parents: [Int], kernels: KernelSettings, isStationary: Bool)
    switch settings.data.source {
    case .chains(let chains):
      law = (chains.parents, chains.kernels, chains.start == .stationary)
    case .population(let population):
      law = (population.parents, population.kernels, true)
    case .tokens: return
    }
    try checkConcentration(loaded, law.kernels)
    let memory = law.parents.max() ?? 1
    let states = power(settings.data.vocabulary, memory)
    if law.isStationary && states > Double(StationarySolver.maximumWindowCount) {
      let isPopulation = if case .population = settings.data.source { true } else { false }
      throw loaded.error(
        at: isPopulation
          ? ExperimentKeys.parents.address() : ExperimentKeys.start.address(),
        found: "a stationary law over \(settings.data.vocabulary)^\(memory) states",
        allowed: "at most \(StationarySolver.maximumWindowCount) states",
        advice: isPopulation
          ? "shorten the memory" : "write data.start: uniform, or shorten the memory")
    }
  }

  static func checkConcentration(
    _ loaded: LoadedExperiment, _ kernels: KernelSettings
  ) throws(DocumentError) {
    guard let concentration = kernels.concentration, !(1e-8...1e8).contains(concentration) else {
      return
    }
    throw loaded.error(
      at: ExperimentKeys.concentration.address(), found: "\(concentration)",
      allowed: "a real number in 1e-8…1e8",
      advice: "beyond these, rows are deterministic or uniform to rounding")
  }

  /// Where the chains come from: a prior, or the kernel of a file, which is read now.
  static func chainSource(
    _ loaded: LoadedExperiment, _ kernels: KernelSettings, vocabulary: Int, parents: [Int],
    _ memoryLimit: Int?
  ) throws(DocumentError) -> SequenceSampler.Source {
    switch kernels {
    case .dirichlet(let concentration):
      return .prior(
        DirichletPrior(
          vocabulary: vocabulary, parents: parents, concentration: concentration))
    case .file(let path):
      return .chain(
        try KernelFile(
          path: path, vocabulary: vocabulary, parents: parents, memoryLimit: memoryLimit
        ).chain())
    }
  }

  static func check(
    _ size: ProblemSize, _ loaded: LoadedExperiment, _ settings: InductionHeadSettings,
    length: Int?, _ memoryLimit: Int?
  ) throws(DocumentError) {
    if let length, length > ProblemSize.longestSequence {
      throw loaded.error(
        at: ExperimentKeys.length.address(), found: "\(length)",
        allowed: "at most \(ProblemSize.longestSequence), so that counts are exact",
        advice: "shorten the sequences")
    }
    if let memoryLimit, size.bytes > Double(memoryLimit) {
      let isPopulation = if case .population = settings.data.source { true } else { false }
      throw loaded.error(
        at: isPopulation
          ? ExperimentKeys.chains.address() : ExperimentKeys.sequences.address(),
        found: "a problem of up to \(size.bytesText)",
        allowed: "\(ProblemSize.text(ofBytes: Double(memoryLimit))), the memory available",
        advice: size.isMostlyDense
          ? "write solver.linear_solver: spgmr, or make the model smaller: most of it is the dense Hessian"
          : "use fewer \(isPopulation ? "chains" : "sequences"), a smaller vocabulary or fewer lags"
      )
    }
  }

  /// The tokens of this plan, if data read from their file would be the same.
  func storedSequences(for data: DataSettings) -> StoredSequences? {
    let own = settings.data
    guard case .tokens = own.source, own.source == data.source, own.vocabulary == data.vocabulary,
      case .sequences(let sequences) = self.data
    else { return nil }
    return sequences as? StoredSequences
  }

  static func storedSequences(
    _ loaded: LoadedExperiment, _ settings: InductionHeadSettings, _ model: any WindowModel,
    _ memoryLimit: Int?, _ known: StoredSequences?
  ) throws(DocumentError) -> StoredSequences {
    guard case .tokens(let tokens) = settings.data.source else {
      preconditionFailure("the experiment has no token file")
    }
    let stored =
      if let known { known } else {
        try readTokens(loaded, tokens, vocabulary: settings.data.vocabulary, memoryLimit)
      }
    if stored.length < model.windowShape.firstPosition {
      throw loaded.error(
        at: ExperimentKeys.file.address(),
        found: "sequences of \(stored.length) tokens before the target with model.window "
          + "\(model.window)",
        allowed: "more than \(model.window)",
        advice: "use longer sequences, narrow the window or write model.readout: all-positions")
    }
    return stored
  }

  /// The tokens of the experiment's file, as many as it asks for.
  static func readTokens(
    _ loaded: LoadedExperiment, _ settings: TokenSettings, vocabulary: Int, _ memoryLimit: Int?
  ) throws(DocumentError) -> StoredSequences {
    let stored = try TokenFile(
      path: settings.file, vocabulary: vocabulary, limit: settings.sequences,
      memoryLimit: memoryLimit
    ).sequences()
    if let wanted = settings.sequences, stored.sequenceCount < wanted {
      throw loaded.error(
        at: ExperimentKeys.sequences.address(),
        found: "\(wanted), but the file has \(stored.sequenceCount) sequences",
        allowed: "at most \(stored.sequenceCount)", advice: "lower the number or leave it out")
    }
    if let length = settings.length, length != stored.length {
      throw loaded.error(
        at: ExperimentKeys.length.address(),
        found: "\(length), but the file has \(stored.length) tokens before each target",
        allowed: "\(stored.length)", advice: "leave data.length out, or correct it")
    }
    return stored
  }

  static func start(
    _ loaded: LoadedExperiment, _ settings: InductionHeadSettings, _ model: any WindowModel
  ) throws(DocumentError) -> [Double] {
    let initial = settings.initial
    var stream = RandomStream(seed: UInt64(initial.seed), purpose: .parameters, index: 0)
    var start: [Double]
    switch initial.start {
    case .values(let values):
      if let unknown = values.exceptions.keys.sorted().first(where: {
        !model.layout.names.contains($0)
      }) {
        throw loaded.error(
          at: ExperimentKeys.values.address().entry(unknown), .notAllowed,
          found: "a parameter the model lacks",
          allowed:
            "such as \(model.layout.groups.map { model.layout.names[$0.range.lowerBound] }.joined(separator: ", "))",
          advice: "final.yaml of any run of the model has all names")
      }
      start = values.parameters(of: model) { stream.normal() }
      for (index, name) in model.layout.names.enumerated() {
        start[index] = values.exceptions[name] ?? start[index]
      }
    case .file(let path):
      let parameters = try FinalParameters(contentsOf: path).parameters
      let names = parameters.map(\.name)
      guard names.sorted() == model.layout.names.sorted() else {
        throw loaded.error(
          at: ExperimentKeys.initialFile.address(), .contradiction,
          found: "a file with the parameters \(names.joined(separator: ", "))",
          allowed: "the model's parameters \(model.layout.names.joined(separator: ", "))",
          advice: "start from a run of the same model")
      }
      let values = Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0.value) })
      start = model.layout.names.map { values[$0] ?? 0 }
    }
    if initial.noise > 0 {
      let groups = model.layout.groups.map(\.name).filter { $0 != "a" }
      for index in model.layout.indices(ofGroups: groups) {
        start[index] += initial.noise * stream.normal()
      }
    }
    for (index, name) in model.layout.names.enumerated() where !(abs(start[index]) <= 1e12) {
      throw loaded.error(
        at: origin(of: name, settings.initial), found: "\(name) = \(start[index]) at the start",
        allowed: "parameters within ±1e12", advice: "start nearer to where the flow can be computed"
      )
    }
    let c = model.layout.indices(ofGroups: ["c"])
    guard c.isEmpty || c.contains(where: { abs(start[$0]) > 1e-50 }) else {
      throw loaded.error(
        at: ExperimentKeys.coefficient.address(),
        found: "coefficients c_S that are all below 1e-50",
        allowed:
          "at least one c_S that is larger; if all are zero, they stay so, and there is no C_D to divide by",
        advice: "raise initial.coefficient")
    }
    return start
  }

  /// The key that an initial parameter comes from.
  private static func origin(of name: String, _ initial: InitialSettings) -> KeyAddress {
    guard case .values(let values) = initial.start else {
      return ExperimentKeys.initialFile.address()
    }
    if values.exceptions[name] != nil { return ExperimentKeys.values.address().entry(name) }
    if initial.noise > 1e9, name != "a" { return ExperimentKeys.noise.address() }
    if name == "a" { return ExperimentKeys.scale.address() }
    if name.hasPrefix("c.") { return ExperimentKeys.coefficient.address() }
    if name.contains("wov") { return ExperimentKeys.valueMap.address() }
    if name.contains("wq") || name.contains("wk") { return ExperimentKeys.projection.address() }
    if name.hasPrefix("w1") || name.hasPrefix("w2") { return ExperimentKeys.networkScale.address() }
    return abs(values.ownWeight) > abs(values.otherWeight)
      ? ExperimentKeys.ownWeight.address() : ExperimentKeys.otherWeight.address()
  }

  static func power(_ base: Int, _ exponent: Int) -> Double {
    (0..<min(exponent, 2000)).reduce(1.0) { product, _ in product * Double(base) }
  }
}
