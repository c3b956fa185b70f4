/// Some sequences of another source, in an order of their own.
public struct ChosenSequences: SequenceSource {
  private let source: any SequenceSource
  private let indices: [Int]

  /// Chooses sequences.
  ///
  /// - Parameters:
  ///   - indices: which, each in `0..<source.sequenceCount`; one may occur several times.
  ///   - source: where they come from.
  public init(_ indices: [Int], of source: any SequenceSource) {
    precondition(indices.allSatisfy { (0..<source.sequenceCount).contains($0) }, "no such sequence")
    self.indices = indices
    self.source = source
  }

  /// d of the source.
  public var vocabulary: Int { source.vocabulary }
  /// How many are chosen.
  public var sequenceCount: Int { indices.count }
  /// L of the source.
  public var length: Int { source.length }
  /// Whether the source knows the law of the target.
  public var knowsTargetLaw: Bool { source.knowsTargetLaw }

  /// A reader of the source that counts in the order of the choice.
  public func makeReader() -> any SequenceReader {
    Reader(reader: source.makeReader(), indices: indices)
  }

  private final class Reader: SequenceReader {
    let reader: any SequenceReader
    let indices: [Int]

    init(reader: any SequenceReader, indices: [Int]) {
      self.reader = reader
      self.indices = indices
    }

    func read(_ index: Int, into tokens: UnsafeMutableBufferPointer<UInt8>) {
      reader.read(indices[index], into: tokens)
    }

    func targetLaw(into law: UnsafeMutableBufferPointer<Double>) { reader.targetLaw(into: law) }
  }
}
