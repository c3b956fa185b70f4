/// Sequences of tokens x_1…x_L with a target x_{L+1}, read one at a time.
///
/// Sequences are streamed through readers so that a corpus never has to be held in memory.
public protocol SequenceSource: Sendable {
  /// d: tokens are 0…d−1.
  var vocabulary: Int { get }
  /// N, the number of sequences.
  var sequenceCount: Int { get }
  /// L, the number of tokens before the target.
  var length: Int { get }
  /// Whether the law of the target given its context is known.
  var knowsTargetLaw: Bool { get }

  /// A reader with buffers of its own; one thread uses it at a time.
  func makeReader() -> any SequenceReader
}

/// Reads the sequences of one source in any order.
public protocol SequenceReader: AnyObject {
  /// Writes the L + 1 tokens of a sequence.
  ///
  /// - Parameters:
  ///   - index: the sequence, in `0..<sequenceCount`; what it holds depends on nothing else.
  ///   - tokens: room for L + 1 tokens; the last one is the target.
  func read(_ index: Int, into tokens: UnsafeMutableBufferPointer<UInt8>)

  /// Writes π(· | context of the target) of the sequence last read, d values.
  ///
  /// Only for sources that know it.
  func targetLaw(into law: UnsafeMutableBufferPointer<Double>)
}

/// Token sequences held in memory, for instance from a file.
public struct StoredSequences: SequenceSource, Equatable {
  /// d in 2…256.
  public let vocabulary: Int
  /// L ≥ 1.
  public let length: Int
  /// All tokens, N × (L + 1), row by row; the last of each row is the target.
  public let tokens: [UInt8]

  /// Wraps tokens that lie in memory.
  ///
  /// - Parameters:
  ///   - tokens: N × (L + 1) values below `vocabulary`.
  ///   - length: L ≥ 1.
  ///   - vocabulary: d in 2…256.
  public init(tokens: [UInt8], length: Int, vocabulary: Int) {
    precondition(length >= 1 && tokens.count.isMultiple(of: length + 1), "ragged sequences")
    precondition(tokens.allSatisfy { $0 < vocabulary }, "a token is outside the vocabulary")
    self.tokens = tokens
    self.length = length
    self.vocabulary = vocabulary
  }

  /// Holds all sequences of another source.
  public init(_ source: some SequenceSource) {
    let width = source.length + 1
    let reader = source.makeReader()
    tokens = [UInt8](unsafeUninitializedCapacity: source.sequenceCount * width) { buffer, count in
      for index in 0..<source.sequenceCount {
        reader.read(index, into: .init(rebasing: buffer[index * width..<(index + 1) * width]))
      }
      count = source.sequenceCount * width
    }
    length = source.length
    vocabulary = source.vocabulary
  }

  /// N, the number of rows of L + 1 tokens.
  public var sequenceCount: Int { tokens.count / (length + 1) }
  /// False: tokens alone do not tell the law they were drawn from.
  public var knowsTargetLaw: Bool { false }

  /// A reader that copies from the tokens in memory.
  public func makeReader() -> any SequenceReader { Reader(sequences: self) }

  private final class Reader: SequenceReader {
    let sequences: StoredSequences
    init(sequences: StoredSequences) { self.sequences = sequences }

    func read(_ index: Int, into tokens: UnsafeMutableBufferPointer<UInt8>) {
      let width = sequences.length + 1
      sequences.tokens.withUnsafeBufferPointer { all in
        for i in 0..<width { tokens[i] = all[index * width + i] }
      }
    }

    func targetLaw(into law: UnsafeMutableBufferPointer<Double>) {
      preconditionFailure("stored tokens do not know the law they were drawn from")
    }
  }
}
