public import DeclaredKeys
public import MixedTargets

/// What a file for `gradflow approximate` asks for.
public struct ApproximationExperiment: Sendable, Equatable {
  /// The question of the file's first line.
  public let question: String?
  /// The sequences on which errors are measured.
  public let sampling: Sampling
  /// The largest rate of optimised nodes.
  public let largestRate: Double
  /// The positions at which lag kernels are looked at.
  public let positions: [Int]
  /// IH₂; nil if it is left out.
  public let bigrams: BigramStudy?
  /// Single lags.
  public let lags: [LagStudy]
  /// IH_n.
  public let patches: [PatchStudy]
  /// Similarities.
  public let similarities: [SimilarityStudy]

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - overrides: `PATH=VALUE` each, as after `--set`, applied in order.
  /// - Throws: everything that is wrong with the file and the overrides.
  public init(contentsOf path: String, overrides: [String] = []) throws(DocumentError) {
    try self.init(
      reading: ApproximationKeys.schema.read(contentsOf: path, overrides: overrides))
  }

  /// Reads a text.
  ///
  /// - Parameters:
  ///   - text: the document.
  ///   - file: the name that messages give it.
  ///   - overrides: `PATH=VALUE` each, as after `--set`, applied in order.
  /// - Throws: everything that is wrong with the text and the overrides.
  public init(text: String, file: String, overrides: [String] = []) throws(DocumentError) {
    try self.init(
      reading: ApproximationKeys.schema.read(text: text, file: file, overrides: overrides))
  }

  private init(reading document: KeyedDocument) throws(DocumentError) {
    var reader = ApproximationReader(document: document)
    reader.check()
    try reader.document.finish()
    question = document.firstComment
    let sampling = try reader.sampling()
    self.sampling = sampling
    largestRate = try document.required(ApproximationKeys.largestRate)
    positions = try document.required(ApproximationKeys.positions)
    bigrams = try reader.bigrams(sampling)
    lags = try reader.lags()
    patches = try reader.patches(sampling)
    similarities = try reader.similarities(sampling)
  }

  /// The keys of such a file as Markdown tables.
  public static var reference: String { ApproximationKeys.schema.reference }

  /// The experiment with every default written out; it reads back to an equal one.
  public var resolved: String {
    ApproximationKeys.schema.resolved(
      values, header: [question ?? "", "Every default is written out."])
  }

  private var values: KeyValues {
    typealias Keys = ApproximationKeys
    var values = KeyValues()
    values[Keys.seed] = Int(sampling.seed)
    values[Keys.samples] = sampling.samples
    values[Keys.inputs] = sampling.inputs
    if let bigrams {
      values[Keys.dimensions] = bigrams.dimensions
      values[Keys.norms] = bigrams.norms
      values[Keys.form] = bigrams.form
      values[Keys.lengths] = bigrams.lengths
      values[Keys.rates] = bigrams.rates
    }
    values[Keys.largestRate] = largestRate
    values[Keys.positions] = positions
    if !lags.isEmpty { values[Keys.lags] = KeyList(count: lags.count) }
    for (index, study) in lags.enumerated() {
      values[Keys.lag, index] = study.lag
      values[Keys.lagHeads, index] = study.heads
      values[Keys.lagNodes, index] = study.choices
      values[Keys.lagBudgets, index] = study.budgets
    }
    if !patches.isEmpty { values[Keys.patches] = KeyList(count: patches.count) }
    for (index, study) in patches.enumerated() {
      values[Keys.order, index] = study.order
      values[Keys.patchHeads, index] = study.heads
      values[Keys.patchNodes, index] = study.choices
      values[Keys.patchBudgets, index] = study.budgets
      values[Keys.dimension, index] = study.dimension
      values[Keys.norm, index] = study.norm
      values[Keys.patchLength, index] = study.length
    }
    if !similarities.isEmpty { values[Keys.similarities] = KeyList(count: similarities.count) }
    for (index, study) in similarities.enumerated() {
      values[Keys.kernel, index] = study.kernel.name
      switch study.kernel {
      case .gaussian(let width): values[Keys.width, index] = width
      case .polynomial(let degree): values[Keys.degree, index] = degree
      case .absolute: break
      }
      values[Keys.measure, index] = study.measure
      values[Keys.ranks, index] = study.ranks
      values[Keys.similarityLength, index] = study.length
    }
    return values
  }
}
