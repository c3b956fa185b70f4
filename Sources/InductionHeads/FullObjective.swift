public import Corpora
public import Objectives

/// The mean loss of a ``FullTransformer`` over a compressed corpus, or over chains in infinite context.
public struct FullObjective: WindowObjective {
  /// The transformer.
  public let model: FullTransformer
  /// The data, as they are posed.
  public let posed: WindowLoss
  private let stages: WindowStages
  private let observer: LearnedShares

  /// Prepares the loss of a model over a corpus.
  ///
  /// - Parameters:
  ///   - model: the transformer; its window shape must be the corpus's, whose pairs must be distinct where the
  ///     model sees tokens by name.
  ///   - corpus: compressed sequences, at least one; with counts of every token where the loss sees them.
  ///   - length: L; a selection is complete at a share of 1 − 1/L unless `completeShare` says otherwise.
  ///   - completeShare: in 0.5..<1.
  ///   - threads: threads that sort the counts, ≥ 1; the result does not depend on it.
  public init(
    model: FullTransformer, corpus: CompressedCorpus, length: Int, completeShare: Double? = nil,
    threads: Int = 1
  ) {
    self.init(
      model,
      WindowLoss(
        model, corpus: corpus, length: length, completeShare: completeShare, threads: threads))
  }

  /// Prepares the loss of a model in infinite context.
  ///
  /// - Parameters:
  ///   - model: the transformer; its window shape must be the population's.
  ///   - population: the stationary laws of at least one chain.
  ///   - completeShare: the share at which a selection counts as complete, in 0.5..<1.
  public init(model: FullTransformer, population: PopulationLaw, completeShare: Double? = nil) {
    self.init(model, WindowLoss(model, population: population, completeShare: completeShare))
  }

  init(_ model: FullTransformer, _ posed: WindowLoss) {
    precondition(model.windowShape == posed.pairs.windows.shape, "the data have other windows")
    self.model = model
    self.posed = posed
    stages = WindowStages(posed.pairs.windows, reaches: model.attention.map(\.reach))
    observer = LearnedShares(model)
  }

  /// The groups of all layers and their names.
  public var layout: ParameterLayout { model.layout }
  /// `share.S` for every set S of lags, `unexplained`, and the mean `attention.h.i`.
  public var observableNames: [String] { model.observableNames }
  /// The gauges of attention, normalisation and scale.
  public var conservationLaws: [ConservationLaw] { model.conservationLaws }
  /// `selection.S` of every set S of lags and its `-complete` twin, as log-odds.
  public var phaseEvents: [PhaseEvent] {
    observer.phaseEvents(groups: layout.groups.map(\.name), completeShare: completeShare)
  }

  /// Writes the shares of sets of lags, what they leave unexplained, and the mean attention.
  public func observe(_ parameters: Span<Double>, into values: inout MutableSpan<Double>) {
    for (i, value) in observer.observe(parameters).enumerated() { values[i] = value }
  }

  /// An evaluator with layers and buffers of its own.
  public func makeEvaluator(threads: Int) -> any ObjectiveEvaluator {
    evaluator(threads: threads)
  }

  /// y of every question; nil for a corpus that counts only the drawn targets.
  public func predictions(at parameters: [Double]) -> Predictions? {
    data.countsEveryToken ? evaluator(threads: 1).predictions(at: parameters) : nil
  }

  private func evaluator(threads: Int) -> PairEvaluator {
    PairEvaluator(
      form: model.kernel, map: LayerStack(model, stages), loss: posed.pairs, sharedRange: 600,
      threads: threads)
  }
}
