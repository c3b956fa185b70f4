import Corpora
public import DeclaredKeys
import InductionHeads
public import MarkovChains

/// What `gradflow information` may be asked beyond the experiment itself.
public struct InformationOptions: Sendable, Equatable {
  /// The window M; nil for `model.window`.
  public var window: Int?
  /// The size of the largest set; nil for all sizes up to M when there are at most 64 sets, the
  /// empty one counted, and otherwise `model.degree`.
  public var largest: Int?
  /// The number of chains drawn from a prior; nil for ``defaultChains``.
  public var chains: Int?

  /// Enough for a standard error of Ĩ of about .002 at d = 3.
  public static let defaultChains = 4000

  /// Options, all of them open by default.
  public init(window: Int? = nil, largest: Int? = nil, chains: Int? = nil) {
    self.window = window
    self.largest = largest
    self.chains = chains
  }
}

/// A survey of the informations of an experiment's data, checked and ready to be made.
public struct InformationPlan: Sendable {
  /// What is surveyed.
  public enum Source: Sendable {
    /// Chains drawn from the experiment's prior.
    case prior(DirichletPrior, seed: UInt64, chains: Int)
    /// The chain of the experiment's kernel.
    case kernel(NGramChain)
    /// The experiment's token file.
    case tokens(StoredTokens)
  }

  /// Tokens of a file, shape (N, width), the target last.
  public struct StoredTokens: Sendable {
    /// All tokens, row by row.
    public let tokens: [UInt8]
    /// Tokens per row, L + 1.
    public let width: Int
  }

  /// The experiment's question, if its file has one.
  public let question: String?
  /// The experiment's data and transformer.
  public let settings: InductionHeadSettings
  /// What is surveyed.
  public let source: Source
  /// The window M.
  public let window: Int
  /// The size of the largest set.
  public let largest: Int
  /// The length L of the experiment's sequences; nil in infinite context.
  public let length: Int?

  /// The sets, small ones first.
  public var lagSets: [[Int]] { LagSets.all(window: window, largest: largest) }

  /// What the flow of the experiment's loss selects the largest of.
  public var criterion: SelectionCriterion {
    settings.loss.output.seesEveryToken ? .logits : .modified
  }

  /// The columns of the report's table.
  public var columns: [String] {
    if case .tokens = source { return InformationReport.columns(withBias: true) }
    return InformationReport.columns(withBias: false)
  }

  /// Plans a survey.
  ///
  /// - Parameters:
  ///   - loaded: the experiment.
  ///   - options: window, largest set, number of chains.
  ///   - threads: threads that will be used; they share the memory.
  ///   - memoryLimit: bytes that may be used; nil for no limit.
  /// - Throws: `DocumentError` for whatever does not fit, before anything large is allocated.
  public init(
    _ loaded: LoadedExperiment, options: InformationOptions = InformationOptions(),
    threads: Int = 1, memoryLimit: Int? = nil
  ) throws(DocumentError) {
    guard let settings = loaded.experiment.inductionHeads else {
      throw loaded.error(
        at: ExperimentKeys.family.address(), found: "the mixed target",
        allowed: "chains or tokens: the informations are about their windows",
        advice: "choose an experiment with model.family: induction-heads")
    }
    self.settings = settings
    question = loaded.experiment.question
    let check = InformationChecks(loaded: loaded, settings: settings, options: options)
    window = try check.window()
    largest = try check.largest(window: window)
    let sets = LagSets.count(window: window, largest: largest)
    switch settings.data.source {
    case .chains(let chains):
      source = try check.chainSource(
        chains.kernels, parents: chains.parents, otherwise: InformationOptions.defaultChains,
        window: window, sets: sets, threads: threads, memoryLimit)
      length = chains.length
    case .population(let population):
      source = try check.chainSource(
        population.kernels, parents: population.parents, otherwise: population.chains,
        window: window, sets: sets, threads: threads, memoryLimit)
      length = nil
    case .tokens(let tokens):
      try check.noChains("data.source: tokens")
      try check.memory(
        PlugInInformation.bytes(
          vocabulary: settings.data.vocabulary, largest: largest, sets: sets, threads: threads),
        tables: "\(settings.data.vocabulary)^\(largest + 1) counts for each of the largest sets",
        sets: sets, memoryLimit)
      let stored = try InductionHeadPlan.readTokens(
        loaded, tokens, vocabulary: settings.data.vocabulary, memoryLimit)
      if stored.length < window {
        throw check.windowError(
          found:
            "a window of \(window) with sequences of \(stored.length) tokens before the target",
          allowed: "a window of at most \(stored.length)", advice: "use a smaller window")
      }
      source = .tokens(StoredTokens(tokens: stored.tokens, width: stored.length + 1))
      length = stored.length
    }
  }

  /// Makes the survey.
  ///
  /// - Parameters:
  ///   - threads: threads to use; the result does not depend on it.
  ///   - observer: is given index and facts of every chain in order; returns whether to go on.
  ///     It is not called for tokens.
  /// - Returns: the report; nil if the observer stopped it.
  public func report(
    threads: Int, observer: (_ index: Int, _ facts: ChainFacts) throws -> Bool
  ) rethrows -> InformationReport? {
    switch source {
    case .prior(let prior, let seed, let chains):
      return try InformationSurvey.survey(
        prior, seed: seed, chains: chains, lagSets: lagSets, criterion: criterion, threads: threads,
        observer: observer
      ).map { .chains($0) }
    case .kernel(let chain):
      var goesOn = true
      let survey = try InformationSurvey(of: chain, lagSets: lagSets, criterion: criterion) {
        goesOn = try observer(0, $0)
      }
      return goesOn ? .chains(survey) : nil
    case .tokens(let stored):
      return .tokens(
        PlugInInformation(
          tokens: stored.tokens, width: stored.width, vocabulary: settings.data.vocabulary,
          window: window, lagSets: lagSets, criterion: criterion, threads: threads))
    }
  }
}

/// What can be wrong with a survey's window, sets, chains and size.
private struct InformationChecks {
  let loaded: LoadedExperiment
  let settings: InductionHeadSettings
  let options: InformationOptions

  private var data: DataSettings { settings.data }

  func window() throws(DocumentError) -> Int {
    let window = options.window ?? settings.model.window
    guard (1...1024).contains(window) else {
      throw windowError(
        found: "\(window)", allowed: "an integer in 1...1024", advice: "choose another window")
    }
    let parents: [Int] =
      switch data.source {
      case .chains(let chains): chains.parents
      case .population(let population): population.parents
      case .tokens: []
      }
    if let parent = parents.max(), parent > window {
      throw windowError(
        found: "\(window) with the parent \(parent) in data.parents",
        allowed: "an integer ≥ \(parent): the window covers the parents",
        advice: "write --window \(parent) or more")
    }
    return window
  }

  func largest(window: Int) throws(DocumentError) -> Int {
    guard let largest = options.largest else {
      return window <= 6 ? window : min(window, settings.model.degree)
    }
    guard (1...window).contains(largest) else {
      throw option(
        "--largest", found: "\(largest) with the window \(window)",
        allowed: "an integer in 1...\(window): sets lie inside the window",
        advice: "lower --largest or widen --window")
    }
    return largest
  }

  /// The prior or the kernel, when it and its tables fit.
  func chainSource(
    _ kernels: KernelSettings, parents: [Int], otherwise count: Int, window: Int, sets: Double,
    threads: Int, _ limit: Int?
  ) throws(DocumentError) -> InformationPlan.Source {
    try InductionHeadPlan.checkConcentration(loaded, kernels)
    let count = try chains(kernels, otherwise: count)
    let memory = parents.max() ?? 1
    try states(memory: memory)
    try self.memory(
      InformationSurvey.bytes(
        vocabulary: data.vocabulary, memory: memory, window: window, sets: sets, chains: count,
        threads: threads),
      tables: "\(data.vocabulary)^\(window + 1) probabilities of windows with their next token",
      sets: sets, limit)
    return
      switch try InductionHeadPlan.chainSource(
        loaded, kernels, vocabulary: data.vocabulary, parents: parents, limit)
    {
    case .prior(let prior): .prior(prior, seed: UInt64(data.seed), chains: count)
    case .chain(let chain): .kernel(chain)
    }
  }

  private func chains(
    _ kernels: KernelSettings, otherwise count: Int
  ) throws(DocumentError) -> Int {
    guard case .dirichlet = kernels else {
      try noChains("data.kernel")
      return 1
    }
    let count = options.chains ?? count
    guard (2...1_000_000_000).contains(count) else {
      throw option(
        "--chains", found: "\(count)",
        allowed: "an integer in 2...1000000000, because a standard error needs two",
        advice: "draw more chains")
    }
    return count
  }

  func noChains(_ source: String) throws(DocumentError) {
    guard let chains = options.chains else { return }
    throw option(
      "--chains", found: "\(chains) with \(source)",
      allowed: "only where chains are drawn from a prior", advice: "leave --chains out")
  }

  func states(memory: Int) throws(DocumentError) {
    if InductionHeadPlan.power(data.vocabulary, memory)
      <= Double(StationarySolver.maximumWindowCount)
    {
      return
    }
    throw loaded.error(
      at: ExperimentKeys.parents.address(),
      found: "a chain of \(data.vocabulary)^\(memory) states",
      allowed: "at most \(StationarySolver.maximumWindowCount) states for a stationary law",
      advice: "shorten the memory or use a smaller vocabulary")
  }

  func memory(
    _ bytes: Double, tables: String, sets: Double, _ limit: Int?
  ) throws(DocumentError) {
    // Beyond 2^62 bytes nothing can be counted, whatever the limit.
    let limit = Double(limit ?? 1 << 62)
    if bytes <= limit { return }
    throw windowError(
      found: "a survey of \(sets < 1e15 ? String(Int(sets)) : String(Float(sets))) sets with "
        + "\(tables), up to \(ProblemSize.text(ofBytes: bytes))",
      allowed: "\(ProblemSize.text(ofBytes: limit)), the memory available",
      advice: "use a smaller --window or --largest, or fewer --chains")
  }

  /// An error about the window, at the option or the key that gives it.
  func windowError(found: String, allowed: String, advice: String) -> DocumentError {
    guard options.window == nil else {
      return option("--window", found: found, allowed: allowed, advice: advice)
    }
    return loaded.error(
      at: ExperimentKeys.window.address(), found: found, allowed: allowed, advice: advice)
  }

  private func option(
    _ name: String, found: String, allowed: String, advice: String
  ) -> DocumentError {
    DocumentError([
      DocumentProblem(
        .notAllowed, at: .file(loaded.path), key: name, found: found, allowed: allowed,
        advice: advice)
    ])
  }
}
