public import Corpora
public import Objectives

/// The mean loss of a GIH transformer over a compressed corpus.
///
/// L(θ) = −(1/N) Σ_s Σ_e π_e log(y_e + ε), evaluated exactly from window counts.
public struct GIHObjective: Objective {
  /// The transformer.
  public let model: GIHTransformer
  /// The sequences it is trained on.
  public let corpus: CompressedCorpus
  /// L.
  public let length: Int

  let features: WindowFeatures
  let plan: WorkPlan

  /// Prepares the loss of a model over a corpus.
  ///
  /// - Parameters:
  ///   - model: the transformer; its window shape must be the corpus's.
  ///   - corpus: compressed sequences, at least one.
  ///   - length: L, the number of tokens of a sequence before the target.
  public init(model: GIHTransformer, corpus: CompressedCorpus, length: Int) {
    precondition(model.windowShape == corpus.windows.shape, "the corpus has other windows")
    precondition(corpus.sequenceCount > 0, "the corpus is empty")
    self.model = model
    self.corpus = corpus
    self.length = length
    features = WindowFeatures(model: model, windows: corpus.windows)
    // Each lane has feature adjoints of its own; many windows leave room for fewer lanes.
    let bytesPerLane = max(1, corpus.windows.count * model.heads.count * model.vocabulary * 16)
    plan = WorkPlan(corpus, lanes: max(2, min(16, (256 << 20) / bytesPerLane)))
  }

  public var layout: ParameterLayout { model.layout }
  public var observableNames: [String] { model.observableNames }
  public var conservedQuantities: [ConservedQuantity] { model.conservedQuantities }
  public var phaseEvents: [PhaseEvent] { model.phaseEvents(length: length) }

  /// `classification`: all but 1 % of a stage's loss has gone, in stages that train a.
  public var lossDropEvents: [LossDropEvent] {
    [LossDropEvent(name: "classification", groups: ["a"], fraction: 0.01)]
  }

  public func observe(_ parameters: Span<Double>, into values: inout MutableSpan<Double>) {
    model.observe(parameters, into: &values)
  }

  public func makeEvaluator(threads: Int) -> any ObjectiveEvaluator {
    GIHEvaluator(self, threads: threads)
  }
}
