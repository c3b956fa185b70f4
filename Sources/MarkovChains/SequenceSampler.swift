/// Draws token sequences, each from its own chain.
///
/// Sequence i is made of the streams (seed, kernels, i) and (seed, tokens, i) alone: it is the
/// same whatever the number of sequences, their order, or the number of threads.
public struct SequenceSampler: Sendable {
  /// Where the chain of a sequence comes from.
  public enum Source: Sendable, Equatable {
    /// Every sequence draws its own chain.
    case prior(DirichletPrior)
    /// All sequences share one chain.
    case chain(NGramChain)

    /// The chain of sequence `index` under a seed.
    public func chain(seed: UInt64, index: UInt64) -> NGramChain {
      switch self {
      case .prior(let prior): prior.chain(seed: seed, index: index)
      case .chain(let chain): chain
      }
    }
  }

  /// The law of the first r_n tokens.
  public enum Start: Sendable, Equatable {
    /// The stationary law of the chain.
    case stationary
    /// Independent uniform tokens.
    case uniform
  }

  /// Where chains come from.
  public let source: Source

  /// The law of the first r_n tokens.
  public let start: Start

  /// The seed of all streams.
  public let seed: UInt64

  /// A sampler; it holds no buffers, those are in its workspaces.
  ///
  /// - Parameters:
  ///   - source: a prior or one chain.
  ///   - start: the law of the first r_n tokens; `.stationary` needs d^{r_n} at most
  ///     ``StationarySolver/maximumWindowCount``.
  ///   - seed: any value.
  public init(source: Source, start: Start, seed: UInt64) {
    self.source = source
    self.start = start
    self.seed = seed
  }

  /// Buffers for sampling; make one per thread.
  public func makeWorkspace() -> Workspace {
    switch source {
    case .prior(let prior): Workspace(chain: prior.blankChain, start: start)
    case .chain(let chain): Workspace(chain: chain, start: start)
    }
  }

  /// Fills a buffer with the first tokens of sequence `index`, oldest first.
  ///
  /// A longer buffer gets the same tokens and more of them.
  ///
  /// - Parameters:
  ///   - index: i, any value.
  ///   - tokens: L + 1 tokens, x_1, …, x_L and the target x_{L+1}; overwritten.
  ///   - workspace: buffers of this sampler; its ``Workspace/chain`` is then the sequence's chain.
  public func sample(
    _ index: UInt64, into tokens: inout MutableSpan<UInt8>, using workspace: inout Workspace
  ) {
    if case .prior(let prior) = source {
      prior.draw(&workspace.chain, seed: seed, index: index)
      workspace.isPrepared = false
    }
    if !workspace.isPrepared { workspace.prepare(start) }
    var stream = RandomStream(seed: seed, purpose: .tokens, index: index)
    unsafe tokens.withUnsafeMutableBufferPointer { tokens in
      unsafe workspace.fill(tokens, start, from: &stream)
    }
  }
}
