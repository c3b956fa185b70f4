import CKernels
import Corpora
import ParallelLoops

/// The counts of a corpus as the read-out's vector loops want them.
///
/// Made from a ``CompressedCorpus``, of which it keeps what the loss can learn from:
///
/// - Sequences of a group with equal counts and targets are one, with their number as its weight.
/// - A sequence whose ratios N(ω, e)/N(ω) are the same for all its windows ω has the same output
///   whatever the attention: its loss goes into ``constantLoss``, and it is left out. (Of chains
///   with nearly deterministic rows a quarter are such: they are stuck in one window.)
/// - The others are taken eight at a time, in chunks of sequences that have many windows in common,
///   and stored as blocks of eight counts by one key (see `read_out.h`).
///
/// Columns are the tokens of the vocabulary for expected targets, and the target and all other
/// tokens for sampled ones; Z is the sum over columns in both cases.
struct SequenceCounts: Sendable {
  /// Some chunks of one group: a unit of work.
  struct Piece: Sendable {
    /// The group, an index into the corpus's groups.
    let group: Int
    /// Which part holds them.
    let part: Int
    /// Chunks of eight sequences of that part.
    let chunks: Range<Int>
    /// Blocks of eight counts.
    let blocks: Int
  }

  /// Some sequences of one group, in the memory that `read_out.h` describes.
  struct Part: Sendable {
    /// Where the blocks of each (chunk, column) start; chunks · columns + 1 values.
    var offsets: [Int64] = [0]
    /// Of every block its slot, in `slotSize` bytes, and its counts, shape (blocks, 8), in `countSize`
    /// bytes each.
    var slots: [UInt8] = []
    var counts: [UInt8] = []
    /// π times the number of equal sequences, shape (chunks, targets, 8).
    var weights: [Double] = []
    var constantLoss = 0.0

    var bytes: Int { offsets.count * 8 + slots.count + counts.count + weights.count * 8 }
  }

  /// C; the first ``targets`` of them have weights.
  let columns: Int
  let targets: Int
  /// Bytes of a count and of a slot, enough for the largest: 1, 2 or 4, and 2 or 4.
  let countSize: Int
  let slotSize: Int
  let parts: [Part]
  private(set) var pieces: [Piece] = []
  /// The sum of the losses that no parameter changes.
  var constantLoss: Double { parts.reduce(0) { $0 + $1.constantLoss } }

  static let lanes = 8
  /// The most sequences that are compared with each other, and the most chunks of a piece.
  private static let largestPart = 1 << 15
  private static let largestPiece = 64

  /// Sorts the sequences of a corpus into chunks and pieces.
  ///
  /// - Parameters:
  ///   - corpus: what to read.
  ///   - loss: what a prediction costs.
  ///   - threads: threads to use, ≥ 1; the result does not depend on it.
  init(_ corpus: CompressedCorpus, loss: OutputLoss, threads: Int) {
    let isSampled = corpus.columns == 1
    columns = isSampled ? 2 : corpus.columns
    targets = corpus.columns
    let largest = corpus.entryCounts.max() ?? 0
    countSize = largest < 256 ? 1 : largest < 65536 ? 2 : 4
    slotSize = corpus.groups.allSatisfy { corpus.slotCount(of: $0) <= 1 << 16 } ? 2 : 4
    let ranges = corpus.groups.enumerated().flatMap { index, group in
      stride(from: group.sequences.lowerBound, to: group.sequences.upperBound, by: Self.largestPart)
        .map { (index, $0..<min($0 + Self.largestPart, group.sequences.upperBound)) }
    }
    let (columns, countSize, slotSize) = (columns, countSize, slotSize)
    // Few sequences share a query where the vocabulary is large; their buffers are made once a lane.
    parts = inLanes(ranges.count, threads: threads, cost: { ranges[$0].1.count + 16 }) { lane in
      var builder = PartBuilder(
        corpus, loss: loss, columns: columns, countSize: countSize, slotSize: slotSize)
      return lane.map { builder.part(ranges[$0].1) }
    }.flatMap { $0 }
    for (index, part) in parts.enumerated() {
      let chunks = part.weights.count / (targets * Self.lanes)
      for first in stride(from: 0, to: chunks, by: Self.largestPiece) {
        let range = first..<min(first + Self.largestPiece, chunks)
        pieces.append(
          Piece(
            group: ranges[index].0, part: index, chunks: range,
            blocks: Int(
              part.offsets[range.upperBound * columns] - part.offsets[range.lowerBound * columns])))
      }
    }
  }

  /// Bytes held by the arrays.
  var bytes: Int { parts.reduce(0) { $0 + $1.bytes } }

  /// Calls `body` with a piece as the vector loops want it.
  func with<Result>(_ piece: Piece, _ body: (inout gf_sequences) -> Result) -> Result {
    let part = parts[piece.part]
    return part.offsets.withUnsafeBufferPointer { offsets in
      part.slots.withUnsafeBytes { slots in
        part.counts.withUnsafeBytes { counts in
          part.weights.withUnsafeBufferPointer { weights in
            guard let offsets = offsets.baseAddress, let slots = slots.baseAddress,
              let counts = counts.baseAddress, let weights = weights.baseAddress
            else { preconditionFailure("a piece is not empty") }
            var sequences = gf_sequences(
              columns: Int32(columns), targets: Int32(targets), chunks: Int64(piece.chunks.count),
              count_size: Int32(countSize), slot_size: Int32(slotSize),
              offsets: offsets + piece.chunks.lowerBound * columns, slots: slots, counts: counts,
              weights: weights + piece.chunks.lowerBound * targets * Self.lanes)
            return body(&sequences)
          }
        }
      }
    }
  }
}
