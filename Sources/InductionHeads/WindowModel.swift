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

  /// The mean loss on posed data.
  ///
  /// - Parameter loss: posed to this model, or to one with the same windows and the same cost of a prediction.
  /// - Returns: the loss.
  func objective(_ loss: WindowLoss) -> any WindowObjective
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
  /// The data, as they are posed.
  var posed: WindowLoss { get }

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

  /// The mean loss on posed data.
  public func objective(_ loss: WindowLoss) -> any WindowObjective { GIHObjective(self, loss) }
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

  /// The mean loss on posed data.
  public func objective(_ loss: WindowLoss) -> any WindowObjective { FullObjective(self, loss) }
}
