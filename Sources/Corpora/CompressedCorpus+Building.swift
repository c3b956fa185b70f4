// Building a compressed corpus: each lane counts the windows of its own sequences; they are then
// renumbered and regrouped, in an order that depends on the data alone.

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
    precondition(source.length >= shape.firstPosition, "no position has a full window")
    precondition(targets != .expected || source.knowsTargetLaw, "the target's law is not known")
    guard let codeCount = shape.codeCount else { preconditionFailure("more than 2⁶³ windows") }

    let pieces = inLanes(source.sequenceCount, threads: threads) { sequences in
      var counter = WindowCounter(source: source, shape: shape, targets: targets, pairs: pairs)
      let counted = counter.count(sequences)
      return (counted, counted.distinctCodes(codeCount: codeCount))
    }
    self.init(
      CountedSequences(joining: pieces.map(\.0)), WindowNumbering(pieces.flatMap(\.1)),
      shape: shape, columns: targets.columns(vocabulary: source.vocabulary), threads: threads)
  }

  /// Sorts the sequences by query, and gives each group its keys.
  private init(
    _ counted: CountedSequences, _ numbering: WindowNumbering, shape: WindowShape, columns: Int,
    threads: Int
  ) {
    var symbols: [UInt16] = []
    for code in numbering.codes { shape.decode(code, into: &symbols) }
    windows = WindowTable(shape: shape, symbols: symbols)
    self.columns = columns

    let order = QueryOrder(counted, numbering, threads: threads)
    sourceIndices = order.sourceIndices
    entryOffsets = order.entryOffsets
    entryCounts = order.entryRows(counted.counts, columns: 1) { $0 }
    entryTargetCounts = order.entryRows(counted.targetCounts, columns: columns) { $0 }
    targetWeights = order.sequenceRows(counted.weights, columns: columns)
    var entries = order.entryRows(counted.codes, columns: 1) { UInt32(numbering[$0]) }

    var groups: [Group] = []
    var keyWindows: [UInt32] = []
    for (query, present) in order.windowsOfQueries(entries) {
      // Working on all windows in order costs less than gathering the greater part of them.
      let isDense = 5 * present.count > 2 * numbering.codes.count
      groups.append(
        Group(
          query: query, keys: keyWindows.count..<keyWindows.count + present.count,
          isDense: isDense, sequences: order.sequences(of: query)))
      keyWindows += present
    }
    order.number(&entries, by: groups, keyWindows)
    self.groups = groups
    self.keyWindows = keyWindows
    entrySlots = entries
  }
}

/// Consecutive numbers for the distinct window codes, ascending.
struct WindowNumbering {
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
