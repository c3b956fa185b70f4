public import DeclaredKeys

/// The sequences that the loss is taken over.
public struct DataSettings: Sendable, Hashable {
  /// The number of tokens d.
  public var vocabulary: Int
  /// The seed of kernels and tokens.
  public var seed: Int
  /// Where the sequences come from.
  public var source: Source

  /// Where sequences come from.
  public enum Source: Sendable, Hashable {
    /// Sampled Markov chains.
    case chains(ChainSettings)
    /// Markov chains in infinite context.
    case population(PopulationSettings)
    /// A file of tokens.
    case tokens(TokenSettings)
  }
}

/// n-gram Markov chains, one kernel per sequence, rows drawn from Dirichlet(α).
public struct ChainSettings: Sendable, Hashable {
  /// The parents' lags, ascending.
  public var parents: [Int]
  /// The concentration α of the Dirichlet prior.
  public var concentration: Double
  /// The law of the first tokens.
  public var start: ChainStart
  /// The number of sequences N.
  public var sequences: Int
  /// The length L of a sequence, without its target.
  public var length: Int
}

/// n-gram Markov chains in infinite context, rows drawn from Dirichlet(α).
public struct PopulationSettings: Sendable, Hashable {
  /// The parents' lags, ascending.
  public var parents: [Int]
  /// The concentration α of the Dirichlet prior.
  public var concentration: Double
  /// The number of chains K.
  public var chains: Int
}

/// Sequences read from a file.
public struct TokenSettings: Sendable, Hashable {
  /// The path, absolute.
  public var file: String
  /// The number of sequences to take; nil for all.
  public var sequences: Int?
  /// The length that the file must have; nil for whatever it has.
  public var length: Int?
}

/// The law of the first tokens of a chain.
public enum ChainStart: String, KeyChoice {
  /// The stationary law of the chain.
  case stationary
  /// Every token equally likely.
  case uniform
}

enum SourceKind: String, KeyChoice {
  case chains, population, tokens
}
