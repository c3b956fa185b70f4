import CKernels
import Corpora

/// The counts of a corpus as the read-out's vector loops want them.
///
/// Made from a ``CompressedCorpus``, of which it keeps what the loss can learn from:
///
/// - Sequences of a group with equal counts and targets are one, with their number as its weight.
/// - A sequence whose ratios N(ω, e)/N(ω) are the same for all its windows ω has the same output
///   whatever the attention: its loss goes into ``constantLoss``, and it is left out. (Of chains
///   with nearly deterministic rows a quarter are such: they are stuck in one window.)
/// - The others are cut into pieces of one group. A piece holds its counts twice, as a sparse matrix
///   with a row for each sequence and column, and as its transpose with a row for each key, both in
///   strips of eight rows (see `read_out.h`).
///
/// Columns are the tokens of the vocabulary for expected targets, and the target and all other
/// tokens for sampled ones; Z is the sum over columns in both cases.
struct SequenceCounts: Sendable {
  /// Some sequences of a group.
  struct Piece: Sendable {
    /// The group, an index into the corpus's groups.
    let group: Int
    /// Chunks of eight sequences.
    let chunks: Range<Int>
    /// Strips of eight keys.
    let keyStrips: Range<Int>
    /// Places of eight counts in both matrices.
    let places: Int
  }

  /// A sparse matrix in strips of eight rows.
  struct Strips: Sendable {
    /// Where each strip starts, in places of eight; strips + 1 values.
    var offsets: [Int64] = [0]
    /// Column indices and counts, shape (places, 8), of integers of `indexSize` and `countSize` bytes.
    var indices: [UInt8] = []
    var counts: [UInt8] = []

    var bytes: Int { offsets.count * 8 + indices.count + counts.count }
  }

  /// C; the first ``targets`` of them have weights.
  let columns: Int
  let targets: Int
  /// Bytes of a count and of an index, enough for the largest: 1, 2 or 4, and 2 or 4.
  let countSize: Int
  let indexSize: Int
  private(set) var pieces: [Piece] = []
  private(set) var bySequence = Strips()
  private(set) var byKey = Strips()
  /// The slot of each row of ``byKey``, or −1.
  private(set) var slots: [Int32] = []
  /// π times the number of equal sequences, shape (chunks, targets, 8).
  private(set) var weights: [Double] = []
  /// The sum of the losses that no parameter changes.
  private(set) var constantLoss = 0.0

  static let lanes = 8

  /// Sorts the sequences of a corpus into pieces.
  ///
  /// - Parameters:
  ///   - corpus: what to read.
  ///   - floor: ε of the loss.
  ///   - largestPiece: the most sequences of a piece, a multiple of eight; at most 512, so that what
  ///     is held of each stays in the first cache and its index in sixteen bits.
  init(_ corpus: CompressedCorpus, floor: Double, largestPiece: Int = 512) {
    let isSampled = corpus.columns == 1
    columns = isSampled ? 2 : corpus.columns
    targets = corpus.columns
    let largest = corpus.entryCounts.max() ?? 0
    countSize = largest < 256 ? 1 : largest < 65536 ? 2 : 4
    let mostSlots = corpus.groups.map { corpus.slotCount(of: $0) }.max() ?? 0
    let size = min(largestPiece, max(Self.lanes, (1 << 16) / columns & ~7))
    indexSize = mostSlots <= 1 << 16 && size * columns <= 1 << 16 ? 2 : 4
    var reader = SequenceReader(corpus, slots: mostSlots)
    for (index, group) in corpus.groups.enumerated() {
      var distinct: [(sequence: Int, number: Double)] = []
      for s in reader.sorted(group.sequences) {
        if let y = reader.constantOutput(of: s) {
          for (column, y) in y.enumerated() {
            let weight = corpus.targetWeights[s * targets + column]
            if weight > 0 { constantLoss -= weight * logarithm(y + floor) }
          }
        } else if let last = distinct.last, reader.areEqual(last.sequence, s) {
          distinct[distinct.count - 1].number += 1
        } else {
          distinct.append((s, 1))
        }
      }
      for start in stride(from: 0, to: distinct.count, by: size) {
        append(distinct[start..<min(start + size, distinct.count)], of: index, &reader)
      }
    }
  }

  /// Appends a piece.
  private mutating func append(
    _ members: ArraySlice<(sequence: Int, number: Double)>, of group: Int,
    _ reader: inout SequenceReader
  ) {
    let firstChunk = weights.count / (targets * Self.lanes)
    let firstStrip = slots.count / Self.lanes
    let before = bySequence.counts.count + byKey.counts.count
    let chunks = (members.count + Self.lanes - 1) / Self.lanes
    for chunk in 0..<chunks {
      let first = members.startIndex + chunk * Self.lanes
      let lanes = members[first..<min(first + Self.lanes, members.endIndex)]
      for column in 0..<columns {
        let rows = lanes.map { reader.row(of: $0.sequence, column) }
        for (lane, row) in rows.enumerated() {
          let place = (chunk * columns + column) * Self.lanes + lane
          for (slot, count) in row { reader.add(count, at: UInt32(place), toKey: Int(slot)) }
        }
        append(rows, to: \.bySequence)
      }
      for target in 0..<targets {
        for lane in 0..<Self.lanes {
          let member = first + lane
          weights.append(
            member < lanes.endIndex
              ? reader.weight(of: lanes[member].sequence, target) * lanes[member].number : 0)
        }
      }
    }
    let keys = reader.takeKeys()
    for first in stride(from: 0, to: keys.count, by: Self.lanes) {
      let strip = keys[first..<min(first + Self.lanes, keys.count)]
      append(strip.map(\.row), to: \.byKey)
      slots += strip.map { Int32($0.slot) }
      slots += [Int32](repeating: -1, count: Self.lanes - strip.count)
    }
    pieces.append(
      Piece(
        group: group, chunks: firstChunk..<firstChunk + chunks,
        keyStrips: firstStrip..<slots.count / Self.lanes,
        places: (bySequence.counts.count + byKey.counts.count - before) / (countSize * Self.lanes)))
  }

  /// Appends a strip of at most eight rows, each with its column indices and counts.
  private mutating func append(
    _ rows: [[(index: UInt32, count: UInt32)]],
    to strips: WritableKeyPath<SequenceCounts, Strips>
  ) {
    let length = rows.map(\.count).max() ?? 0
    for place in 0..<length {
      for lane in 0..<Self.lanes {
        let (index, count) =
          lane < rows.count && place < rows[lane].count ? rows[lane][place] : (0, 0)
        withUnsafeBytes(of: index.littleEndian) {
          self[keyPath: strips].indices.append(contentsOf: $0.prefix(indexSize))
        }
        withUnsafeBytes(of: count.littleEndian) {
          self[keyPath: strips].counts.append(contentsOf: $0.prefix(countSize))
        }
      }
    }
    let last = self[keyPath: strips].offsets.last ?? 0
    self[keyPath: strips].offsets.append(last + Int64(length))
  }

  /// Bytes held by the arrays.
  var bytes: Int { bySequence.bytes + byKey.bytes + slots.count * 4 + weights.count * 8 }

  /// Doubles of scratch that the read-out of any piece needs.
  var scratchSize: Int {
    (pieces.map(\.chunks.count).max() ?? 0) * (columns + 1) * Self.lanes
  }

  /// Calls `body` with a piece as the vector loops want it.
  func with<Result>(_ piece: Piece, _ body: (inout gf_sequences) -> Result) -> Result {
    lend(bySequence, from: piece.chunks.lowerBound * columns) { bySequence in
      lend(byKey, from: piece.keyStrips.lowerBound) { byKey in
        slots.withUnsafeBufferPointer { slots in
          weights.withUnsafeBufferPointer { weights in
            guard let slots = slots.baseAddress, let weights = weights.baseAddress else {
              preconditionFailure("a piece is not empty")
            }
            var sequences = gf_sequences(
              columns: Int32(columns), targets: Int32(targets), chunks: Int64(piece.chunks.count),
              key_strips: Int64(piece.keyStrips.count), by_sequence: bySequence, by_key: byKey,
              slots: slots + piece.keyStrips.lowerBound * Self.lanes,
              weights: weights + piece.chunks.lowerBound * targets * Self.lanes)
            return body(&sequences)
          }
        }
      }
    }
  }

  private func lend<Result>(
    _ strips: Strips, from first: Int, _ body: (gf_strips) -> Result
  ) -> Result {
    strips.offsets.withUnsafeBufferPointer { offsets in
      strips.indices.withUnsafeBytes { indices in
        strips.counts.withUnsafeBytes { counts in
          guard let offsets = offsets.baseAddress, let indices = indices.baseAddress,
            let counts = counts.baseAddress
          else { preconditionFailure("a piece is not empty") }
          return body(
            gf_strips(
              count_size: Int32(countSize), index_size: Int32(indexSize), offsets: offsets + first,
              indices: indices, counts: counts))
        }
      }
    }
  }
}

/// Reads the sequences of a corpus for ``SequenceCounts``.
private struct SequenceReader {
  let corpus: CompressedCorpus
  /// The rows of the piece's keys, for each slot; empty in between.
  private var keyRows: [[(index: UInt32, count: UInt32)]]
  private var present: [Int] = []

  init(_ corpus: CompressedCorpus, slots: Int) {
    self.corpus = corpus
    keyRows = [[(index: UInt32, count: UInt32)]](repeating: [], count: slots)
  }

  private func entries(_ s: Int) -> Range<Int> {
    corpus.entryOffsets[s]..<corpus.entryOffsets[s + 1]
  }

  func weight(of s: Int, _ target: Int) -> Double {
    corpus.targetWeights[s * corpus.columns + target]
  }

  /// Some sequences, the longest first, then by their windows and counts, then in their old order.
  func sorted(_ sequences: Range<Int>) -> [Int] {
    sequences.sorted { a, b in
      let order = compare(a, b)
      return order == 0 ? a < b : order < 0
    }
  }

  /// Whether two sequences of a group have the same counts and the same weights.
  func areEqual(_ a: Int, _ b: Int) -> Bool {
    compare(a, b) == 0
      && (0..<corpus.columns).allSatisfy { weight(of: a, $0) == weight(of: b, $0) }
  }

  private func compare(_ a: Int, _ b: Int) -> Int {
    let (left, right) = (entries(a), entries(b))
    if left.count != right.count { return left.count > right.count ? -1 : 1 }
    for (i, j) in zip(left, right) where corpus.entrySlots[i] != corpus.entrySlots[j] {
      return corpus.entrySlots[i] < corpus.entrySlots[j] ? -1 : 1
    }
    for (i, j) in zip(left, right) where corpus.entryCounts[i] != corpus.entryCounts[j] {
      return corpus.entryCounts[i] < corpus.entryCounts[j] ? -1 : 1
    }
    let columns = corpus.columns
    for (i, j) in zip(
      left.lowerBound * columns..<left.upperBound * columns,
      right.lowerBound * columns..<right.upperBound * columns)
    where corpus.entryTargetCounts[i] != corpus.entryTargetCounts[j] {
      return corpus.entryTargetCounts[i] < corpus.entryTargetCounts[j] ? -1 : 1
    }
    return 0
  }

  /// y of a sequence if it is the same for all θ, else nil.
  func constantOutput(of s: Int) -> [Double]? {
    let range = entries(s)
    let columns = corpus.columns
    guard let first = range.first else { return nil }
    for e in range.dropFirst() {
      for column in 0..<columns {
        // Products of counts are exact: both are whole numbers below 2²⁴.
        if Double(corpus.entryTargetCounts[e * columns + column])
          * Double(corpus.entryCounts[first])
          != Double(corpus.entryTargetCounts[first * columns + column])
          * Double(corpus.entryCounts[e])
        {
          return nil
        }
      }
    }
    return (0..<columns).map {
      Double(corpus.entryTargetCounts[first * columns + $0]) / Double(corpus.entryCounts[first])
    }
  }

  /// The slots of a sequence and their counts in a column, without zeros.
  func row(of s: Int, _ column: Int) -> [(index: UInt32, count: UInt32)] {
    var row: [(index: UInt32, count: UInt32)] = []
    for e in entries(s) {
      let count =
        corpus.columns > 1
        ? corpus.entryTargetCounts[e * corpus.columns + column]
        : column == 0
          ? corpus.entryTargetCounts[e] : corpus.entryCounts[e] - corpus.entryTargetCounts[e]
      if count > 0 { row.append((corpus.entrySlots[e], UInt32(count))) }
    }
    return row
  }

  /// Notes a count for the row of a key.
  mutating func add(_ count: UInt32, at index: UInt32, toKey slot: Int) {
    if keyRows[slot].isEmpty { present.append(slot) }
    keyRows[slot].append((index, count))
  }

  /// The keys that occur with their rows, the longest first; clears them.
  mutating func takeKeys() -> [(slot: Int, row: [(index: UInt32, count: UInt32)])] {
    let order = present.sorted { a, b in
      keyRows[a].count == keyRows[b].count ? a < b : keyRows[a].count > keyRows[b].count
    }
    let keys = order.map { (slot: $0, row: keyRows[$0]) }
    for slot in present { keyRows[slot].removeAll(keepingCapacity: true) }
    present.removeAll(keepingCapacity: true)
    return keys
  }
}
