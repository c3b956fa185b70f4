public import Corpora
public import Objectives

/// A transformer that sees of a sequence only how often each window occurs with each next token.
public protocol WindowModel: Sendable {
  /// d.
  var vocabulary: Int { get }
  /// What it sees of a position.
  var windowShape: WindowShape { get }
  /// What a prediction costs.
  var loss: OutputLoss { get }
  /// Names and groups of the parameters.
  var layout: ParameterLayout { get }
  /// Names of what is observed along its flow.
  var observableNames: [String] { get }
  /// Numbers that windows are compared by.
  var featureWidth: Int { get }
  /// Numbers that the layers before them keep of a window.
  var layerWidth: Int { get }
  /// When two pairs of windows count as one: up to a renaming of tokens where it knows no token by name.
  var pairs: PairIdentity { get }

  /// The mean loss over a corpus.
  ///
  /// - Parameters:
  ///   - corpus: compressed sequences, at least one, in windows of this shape; with counts of every token where the
  ///     loss sees them.
  ///   - length: L, the number of tokens of a sequence before the target.
  ///   - completeShare: the share from which on a selection counts as complete, in 0.5..<1; nil for 1 − 1/L.
  ///   - threads: threads that prepare it, ≥ 1; the result does not depend on it.
  /// - Returns: the loss.
  func objective(
    over corpus: CompressedCorpus, length: Int, completeShare: Double?, threads: Int
  ) -> any WindowObjective

  /// The mean loss in infinite context.
  ///
  /// - Parameters:
  ///   - population: the stationary laws of at least one chain over windows of this shape.
  ///   - completeShare: the share from which on a selection counts as complete, in 0.5..<1; nil for never.
  /// - Returns: the loss.
  func objective(over population: PopulationLaw, completeShare: Double?) -> any WindowObjective
}

extension WindowModel {
  /// M, the reach of the window.
  public var window: Int { windowShape.reach }
}

/// What a loss over windows is taken over.
public enum WindowData: Sendable {
  /// Sequences of finite length.
  case corpus(CompressedCorpus)
  /// Chains in infinite context.
  case population(PopulationLaw)

  /// Whether the outputs of all tokens can be computed, and not only that of the target.
  var countsEveryToken: Bool {
    switch self {
    case .corpus(let corpus): corpus.columns == corpus.windows.shape.vocabulary
    case .population: true
    }
  }
}

/// The mean loss of a ``WindowModel``.
public protocol WindowObjective: Objective {
  /// What it is taken over.
  var data: WindowData { get }

  /// The loss of another model on the same data.
  ///
  /// - Parameter model: any model.
  /// - Returns: its loss, which shares what has been computed of the data; nil if it is of another kind, or sees
  ///   other windows.
  func replacing(_ model: any WindowModel) -> (any WindowObjective)?

  /// The output y of the last layer at θ, for every sequence, or for every chain and query.
  ///
  /// - Parameter parameters: θ.
  /// - Returns: the predictions, or nil for a corpus that counts only the drawn targets.
  func predictions(at parameters: [Double]) -> Predictions?
}

extension GIHTransformer: WindowModel {
  /// Heads copy and compare; which token it is makes no difference.
  public var pairs: PairIdentity { .upToRelabelling }
  /// H d.
  public var featureWidth: Int { heads.count * vocabulary }
  /// None: heads are what is compared.
  public var layerWidth: Int { 0 }

  /// The mean loss over a corpus.
  public func objective(
    over corpus: CompressedCorpus, length: Int, completeShare: Double?, threads: Int
  ) -> any WindowObjective {
    GIHObjective(
      model: self, corpus: corpus, length: length, completeShare: completeShare, threads: threads)
  }

  /// The mean loss in infinite context.
  public func objective(
    over population: PopulationLaw, completeShare: Double?
  ) -> any WindowObjective {
    GIHObjective(model: self, population: population, completeShare: completeShare)
  }
}

extension FullTransformer: WindowModel {
  /// Matrices know tokens by name.
  public var pairs: PairIdentity { .distinct }
  /// m, or H d.
  public var featureWidth: Int { plan.featureWidth }
  /// Those of all layers.
  public var layerWidth: Int { plan.layerWidth }

  /// `share.S` of every set S of lags, `unexplained`, and the mean attention `attention.h.i`, where i = 0 is the
  /// position itself; see the article *The full transformer*.
  public var observableNames: [String] { LearnedShares.names(self) }

  /// The mean loss over a corpus.
  public func objective(
    over corpus: CompressedCorpus, length: Int, completeShare: Double?, threads: Int
  ) -> any WindowObjective {
    FullObjective(
      model: self, corpus: corpus, length: length, completeShare: completeShare, threads: threads)
  }

  /// The mean loss in infinite context.
  public func objective(
    over population: PopulationLaw, completeShare: Double?
  ) -> any WindowObjective {
    FullObjective(model: self, population: population, completeShare: completeShare)
  }
}
