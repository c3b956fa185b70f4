public import Corpora
public import Objectives

/// The mean loss of a GIH transformer over a compressed corpus, or over chains in infinite context.
///
/// L(θ) = −(1/N) Σ_s Σ_e π_e log(y_e + ε), evaluated exactly from window counts; or
/// L(θ) = −(1/K) Σ_π Σ_{q,e} μ^π(q,e) log(y_e + ε), the limit of long sequences; or the same with another
/// ``OutputLoss``.
public struct GIHObjective: WindowObjective {
  /// The transformer.
  public let model: GIHTransformer
  let features: WindowFeatures
  /// The data, as they are posed.
  public let posed: WindowLoss
  /// Largest |a| Σ p_S up to which one shift of the exponents serves all sequences of a block.
  let sharedRange: Double

  /// Prepares the loss of a model over a corpus.
  ///
  /// - Parameters:
  ///   - model: the transformer; its window shape must be the corpus's.
  ///   - corpus: compressed sequences, at least one; with counts of every token where the loss sees them.
  ///   - length: L, the number of tokens of a sequence before the target; a selection is complete
  ///     at a share of 1 − 1/L unless `completeShare` says otherwise.
  ///   - completeShare: in 0.5..<1.
  ///   - threads: threads that sort the counts, ≥ 1; the result does not depend on it.
  public init(
    model: GIHTransformer, corpus: CompressedCorpus, length: Int, completeShare: Double? = nil,
    threads: Int = 1
  ) {
    self.init(
      model: model, corpus: corpus, length: length, completeShare: completeShare,
      threads: threads, sharedRange: 600)
  }

  /// Prepares the loss of a model over a corpus.
  ///
  /// Beyond |a| = `sharedRange` each sequence gets a shift of the exponents of its own; e^{−600} is far
  /// from underflow. Tests set it to 0.
  package init(
    model: GIHTransformer, corpus: CompressedCorpus, length: Int, completeShare: Double? = nil,
    threads: Int = 1, sharedRange: Double
  ) {
    self.init(
      model,
      WindowLoss(
        model, corpus: corpus, length: length, completeShare: completeShare, threads: threads),
      sharedRange: sharedRange)
  }

  /// Prepares the loss of a model in infinite context.
  ///
  /// - Parameters:
  ///   - model: the transformer; its window shape must be the population's.
  ///   - population: the stationary laws of at least one chain.
  ///   - completeShare: the share at which a selection counts as complete, in 0.5..<1.
  public init(model: GIHTransformer, population: PopulationLaw, completeShare: Double? = nil) {
    self.init(
      model, WindowLoss(model, population: population, completeShare: completeShare))
  }

  init(_ model: GIHTransformer, _ posed: WindowLoss, sharedRange: Double = 600) {
    precondition(model.windowShape == posed.pairs.windows.shape, "the data have other windows")
    self.model = model
    self.posed = posed
    self.sharedRange = sharedRange
    features = WindowFeatures(model: model, windows: posed.pairs.windows)
  }

  var loss: any PairLoss { posed.pairs }

  /// The groups `c`, `w`, `a` and their names.
  public var layout: ParameterLayout { model.layout }
  /// `share.S` for every subset with a coefficient, then `attention.h.i`.
  public var observableNames: [String] { model.observableNames }
  /// `C_D`, and `sum w.h` for every head.
  public var conservationLaws: [ConservationLaw] { model.conservationLaws }
  /// `selection.S` and `copying.h`, each with its `-complete` twin, as log-odds.
  public var phaseEvents: [PhaseEvent] { model.phaseEvents(completeShare: completeShare) }

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
