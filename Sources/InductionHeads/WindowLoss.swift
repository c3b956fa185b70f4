public import Corpora
public import Objectives

/// Data posed to a ``WindowModel``: what its loss is taken over, and that loss as a function of the scores of windows.
///
/// It knows of the model only its windows, how wide its features are, and what a prediction costs; so models that have
/// these in common can share it.
public struct WindowLoss: Sendable {
  /// What it is taken over.
  public let data: WindowData
  let pairs: any PairLoss
  /// The share from which on a selection counts as complete; nil for never.
  let completeShare: Double?

  /// The loss over a corpus.
  ///
  /// - Parameters:
  ///   - model: its window shape must be the corpus's.
  ///   - corpus: compressed sequences, at least one; with counts of every token where the loss sees them.
  ///   - length: L; a selection is complete at a share of 1 − 1/L unless `completeShare` says otherwise.
  ///   - completeShare: in 0.5..<1.
  ///   - threads: threads that sort the counts, ≥ 1; the result does not depend on it.
  public init(
    _ model: any WindowModel, corpus: CompressedCorpus, length: Int, completeShare: Double?,
    threads: Int
  ) {
    precondition(corpus.sequenceCount > 0, "the corpus is empty")
    precondition(
      !model.loss.seesEveryToken || corpus.columns == model.vocabulary,
      "this loss needs counts of every token")
    // Each lane has feature adjoints of its own; many windows leave room for fewer lanes.
    let bytesPerLane = max(1, corpus.windows.count * model.featureWidth * 16)
    self.init(
      model, .corpus(corpus),
      CorpusLoss(
        corpus, output: model.loss, lanes: max(2, min(16, (256 << 20) / bytesPerLane)),
        threads: threads),
      completeShare ?? (length > 2 ? 1 - 1 / Double(length) : nil))
  }

  /// The loss in infinite context.
  ///
  /// - Parameters:
  ///   - model: its window shape must be the population's.
  ///   - population: the stationary laws of at least one chain.
  ///   - completeShare: in 0.5..<1.
  public init(_ model: any WindowModel, population: PopulationLaw, completeShare: Double?) {
    self.init(
      model, .population(population), PopulationLoss(law: population, output: model.loss),
      completeShare)
  }

  private init(
    _ model: any WindowModel, _ data: WindowData, _ pairs: any PairLoss, _ completeShare: Double?
  ) {
    precondition(
      completeShare.map { (0.5..<1).contains($0) } ?? true, "a complete share is below 1")
    self.data = data
    self.pairs = pairs
    self.completeShare = completeShare
  }
}

extension WindowObjective {
  /// What it is taken over.
  public var data: WindowData { posed.data }
  /// The share from which on a selection counts as complete, in 0.5..<1; nil for never.
  public var completeShare: Double? { posed.completeShare }

  /// `classification`: all but 1 % of a stage's loss has gone, in stages that train a.
  public var lossDropEvents: [LossDropEvent] {
    [LossDropEvent(name: "classification", groups: ["a"], fraction: 0.01)]
  }
}
