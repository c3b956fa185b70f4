public import MarkovChains

/// Sequences drawn from n-gram chains, one chain for each, made anew whenever they are read.
///
/// What sequence i holds depends on the seed and on i alone.
public struct SampledSequences: SequenceSource {
  /// Where sequences come from.
  public let sampler: SequenceSampler
  /// d, that of the sampler's chains.
  public let vocabulary: Int
  /// N ≥ 0.
  public let sequenceCount: Int
  /// L ≥ 1.
  public let length: Int

  /// Describes a sampled corpus.
  ///
  /// - Parameters:
  ///   - sampler: where sequences come from.
  ///   - count: N ≥ 0.
  ///   - length: L ≥ 1, at least the memory of the chains.
  public init(_ sampler: SequenceSampler, count: Int, length: Int) {
    self.sampler = sampler
    vocabulary =
      switch sampler.source {
      case .prior(let prior): prior.vocabulary
      case .chain(let chain): chain.vocabulary
      }
    sequenceCount = count
    self.length = length
  }

  /// True: every sequence comes with its kernel.
  public var knowsTargetLaw: Bool { true }

  /// A reader with a sampling workspace of its own.
  public func makeReader() -> any SequenceReader { Reader(self) }

  private final class Reader: SequenceReader {
    let sequences: SampledSequences
    var workspace: SequenceSampler.Workspace
    /// The row of the kernel that the last target was drawn from.
    var targetRow = 0

    init(_ sequences: SampledSequences) {
      self.sequences = sequences
      workspace = sequences.sampler.makeWorkspace()
    }

    func read(_ index: Int, into tokens: UnsafeMutableBufferPointer<UInt8>) {
      var span = tokens.mutableSpan
      sequences.sampler.sample(UInt64(index), into: &span, using: &workspace)
      targetRow = workspace.chain.row(at: sequences.length, of: tokens.span)
    }

    func targetLaw(into law: UnsafeMutableBufferPointer<Double>) {
      for (i, probability) in workspace.chain.law(ofRow: targetRow).enumerated() {
        law[i] = probability
      }
    }
  }
}
