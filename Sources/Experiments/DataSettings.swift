public import DeclaredKeys

/// The sequences that the loss is taken over.
public struct DataSettings: Sendable, Hashable {
  /// The kernels of the chains; nil where tokens come from a file.
  var kernels: KernelSettings? {
    switch source {
    case .chains(let chains): chains.kernels
    case .population(let population): population.kernels
    case .tokens: nil
    }
  }

  /// L, where the file says it.
  var length: Int? {
    switch source {
    case .chains(let chains): chains.length
    case .population: nil
    case .tokens(let tokens): tokens.length
    }
  }

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

/// Sequences of n-gram Markov chains.
public struct ChainSettings: Sendable, Hashable {
  /// The parents' lags, ascending.
  public var parents: [Int]
  /// Where the kernels come from.
  public var kernels: KernelSettings
  /// The law of the first tokens.
  public var start: ChainStart
  /// The number of sequences N.
  public var sequences: Int
  /// The length L of a sequence, without its target.
  public var length: Int
}

/// n-gram Markov chains in infinite context.
public struct PopulationSettings: Sendable, Hashable {
  /// The parents' lags, ascending.
  public var parents: [Int]
  /// Where the kernels come from.
  public var kernels: KernelSettings
  /// The number of chains K; 1 for the kernel in a file.
  public var chains: Int
}

/// Where the kernels of chains come from.
public enum KernelSettings: Sendable, Hashable {
  /// Every chain has a kernel of its own, rows drawn from Dirichlet(α).
  case dirichlet(concentration: Double)
  /// The kernel in the file of this absolute path, for all.
  case file(String)

  /// The concentration α of the Dirichlet prior, if kernels are drawn.
  public var concentration: Double? {
    if case .dirichlet(let concentration) = self { concentration } else { nil }
  }
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
