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

  /// Exponents of one block may differ by this much before each sequence gets a shift of its own.
  ///
  /// e^{−600} is far from underflow. Tests set it to 0.
  package var sharedRange = 600.0

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

  /// The groups `c`, `w`, `a` and their names.
  public var layout: ParameterLayout { model.layout }
  /// `share.S` for every subset with a coefficient, then `attention.h.i`.
  public var observableNames: [String] { model.observableNames }
  /// `C_D`, and `sum w.h` for every head.
  public var conservationLaws: [ConservationLaw] { model.conservationLaws }
  /// `selection.S` and `copying.h`, each with its `-complete` twin, as log-odds.
  public var phaseEvents: [PhaseEvent] { model.phaseEvents(length: length) }

  /// `classification`: all but 1 % of a stage's loss has gone, in stages that train a.
  public var lossDropEvents: [LossDropEvent] {
    [LossDropEvent(name: "classification", groups: ["a"], fraction: 0.01)]
  }

  /// Writes the shares, each in 0…1 with sum 1, then the attention of each head, with sum 1.
  ///
  /// - Parameters:
  ///   - parameters: θ, `layout.count` values, not all c zero.
  ///   - values: one per name in ``observableNames``.
  public func observe(_ parameters: Span<Double>, into values: inout MutableSpan<Double>) {
    model.observe(parameters, into: &values)
  }

  /// An evaluator with buffers of its own.
  ///
  /// - Parameter threads: at least 1; the results do not depend on it.
  /// - Returns: an evaluator for one thread at a time.
  public func makeEvaluator(threads: Int) -> any ObjectiveEvaluator {
    GIHEvaluator(self, threads: threads)
  }
}
