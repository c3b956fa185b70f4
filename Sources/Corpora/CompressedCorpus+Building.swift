// Building a compressed corpus: each lane counts the windows of its own sequences; the pieces are
// then renumbered and regrouped, in an order that depends on the data alone.

import ParallelLoops

extension CompressedCorpus {
  /// Counts the windows of every sequence.
  ///
  /// - Parameters:
  ///   - source: the sequences.
  ///   - shape: the model's windows; `shape.codeCount` must not be nil.
  ///   - targets: `.expected` only when the source knows the law of the target.
  ///   - pairs: when two window pairs count as one.
  ///   - threads: threads to use, ≥ 1; the result does not depend on it.
  public init(
    _ source: some SequenceSource, shape: WindowShape, targets: Targets,
    pairs: PairIdentity = .distinct, threads: Int = 1
  ) {
    precondition(source.vocabulary == shape.vocabulary, "vocabularies differ")
    precondition(shape.codeCount != nil, "more than 2⁶³ windows")
    precondition(source.length >= shape.firstPosition, "no position has a full window")
    precondition(targets == .sampled || source.knowsTargetLaw, "the target's law is not known")

    let lanes = balancedRanges(source.sequenceCount, lanes: 64) { _ in 1 }
    let pieces = [CountedSequences](
      unsafeUninitializedCapacity: lanes.count
    ) { buffer, count in
      forEachLane(lanes.count, threads: threads) { lane in
        let counter = WindowCounter(
          source: source, shape: shape, targets: targets, pairs: pairs)
        buffer.initializeElement(at: lane, to: counter.count(lanes[lane]))
      }
      count = lanes.count
    }
    self.init(pieces, shape: shape, columns: targets == .sampled ? 1 : source.vocabulary)
  }

  /// Numbers the windows, sorts the sequences by query, and gives each group its keys.
  private init(_ pieces: [CountedSequences], shape: WindowShape, columns: Int) {
    let numbering = WindowNumbering(pieces.flatMap(\.distinctCodes))
    var symbols: [UInt16] = []
    for code in numbering.codes { shape.decode(code, into: &symbols) }
    windows = WindowTable(shape: shape, symbols: symbols)

    // Sequences in the order of their query window, ties in the order of the source.
    struct Place {
      let piece: Int
      let sequence: Int
    }
    var members = [[Place]](repeating: [], count: numbering.codes.count)
    for (piece, counted) in pieces.enumerated() {
      for (sequence, code) in counted.queries.enumerated() {
        members[numbering[code]].append(Place(piece: piece, sequence: sequence))
      }
    }
    var firstIndex: [Int] = []
    var seen = 0
    for counted in pieces {
      firstIndex.append(seen)
      seen += counted.queries.count
    }
    let entries = pieces.reduce(0) { $0 + $1.codes.count }

    var groups: [Group] = []
    var keyWindows: [UInt32] = []
    var entryOffsets: [Int] = [0]
    var entrySlots: [UInt32] = []
    var entryCounts: [Float] = []
    var entryTargetCounts: [Float] = []
    var targetWeights: [Double] = []
    var sourceIndices: [Int] = []
    entryOffsets.reserveCapacity(seen + 1)
    entrySlots.reserveCapacity(entries)
    entryCounts.reserveCapacity(entries)
    entryTargetCounts.reserveCapacity(entries * columns)
    targetWeights.reserveCapacity(seen * columns)
    sourceIndices.reserveCapacity(seen)

    // slotOfWindow[ω] is valid for the current group when stamp[ω] names it.
    var slotOfWindow = [UInt32](repeating: 0, count: numbering.codes.count)
    var stamp = [Int](repeating: -1, count: numbering.codes.count)
    for (query, places) in members.enumerated() where !places.isEmpty {
      let firstKey = keyWindows.count
      let firstSequence = sourceIndices.count
      var present: [UInt32] = []
      for place in places {
        for code in pieces[place.piece].entryCodes(of: place.sequence) {
          let window = numbering[code]
          if stamp[window] != query {
            stamp[window] = query
            present.append(UInt32(window))
          }
        }
      }
      present.sort()
      // Working on all windows in order costs less than gathering the greater part of them.
      let isDense = 5 * present.count > 2 * numbering.codes.count
      for (key, window) in present.enumerated() {
        slotOfWindow[Int(window)] = isDense ? window : UInt32(key)
      }
      keyWindows += present
      for place in places {
        let piece = pieces[place.piece]
        let range = piece.entries(of: place.sequence)
        for entry in range {
          entrySlots.append(slotOfWindow[numbering[piece.codes[entry]]])
          entryCounts.append(piece.counts[entry])
        }
        entryTargetCounts +=
          piece.targetCounts[range.lowerBound * columns..<range.upperBound * columns]
        targetWeights += piece.weights[place.sequence * columns..<(place.sequence + 1) * columns]
        entryOffsets.append(entrySlots.count)
        sourceIndices.append(firstIndex[place.piece] + place.sequence)
      }
      groups.append(
        Group(
          query: query, keys: firstKey..<keyWindows.count, isDense: isDense,
          sequences: firstSequence..<sourceIndices.count))
    }
    self.groups = groups
    self.keyWindows = keyWindows
    self.entryOffsets = entryOffsets
    self.entrySlots = entrySlots
    self.entryCounts = entryCounts
    self.entryTargetCounts = entryTargetCounts
    self.columns = columns
    self.targetWeights = targetWeights
    self.sourceIndices = sourceIndices
  }
}

/// Consecutive numbers for the distinct window codes, ascending.
private struct WindowNumbering {
  let codes: [UInt64]
  /// Number of each code, when codes are small enough for a table.
  private let table: [UInt32]

  init(_ occurring: [UInt64]) {
    var distinct: [UInt64] = []
    for code in occurring.sorted() where code != distinct.last { distinct.append(code) }
    codes = distinct
    var table: [UInt32] = []
    if let largest = distinct.last, largest < 1 << 24 {
      table = [UInt32](repeating: 0, count: Int(largest) + 1)
      for (number, code) in distinct.enumerated() { table[Int(code)] = UInt32(number) }
    }
    self.table = table
  }

  subscript(code: UInt64) -> Int {
    if !table.isEmpty { return Int(table[Int(code)]) }
    var low = 0
    var high = codes.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if codes[middle] <= code { low = middle } else { high = middle }
    }
    return low
  }
}
