/// The windows of some consecutive sequences, counted but not yet numbered.
struct CountedSequences {
  /// The code of each sequence's query window.
  var queries: [UInt64] = []
  /// Where each sequence's entries start, and the last one's end.
  var offsets: [Int] = [0]
  /// For each entry: the window's code, ascending within a sequence.
  var codes: [UInt64] = []
  /// For each entry: N(ω).
  var counts: [Float] = []
  /// For each entry and column: N(ω, e).
  var targetCounts: [Float] = []
  /// For each sequence and column: the target's weight.
  var weights: [Double] = []

  /// The sequences of all pieces, in their order.
  init(joining pieces: [CountedSequences] = []) {
    offsets.reserveCapacity(pieces.reduce(1) { $0 + $1.queries.count })
    codes.reserveCapacity(pieces.reduce(0) { $0 + $1.codes.count })
    counts.reserveCapacity(codes.capacity)
    targetCounts.reserveCapacity(pieces.reduce(0) { $0 + $1.targetCounts.count })
    for piece in pieces {
      let first = codes.count
      queries += piece.queries
      for offset in piece.offsets.dropFirst() { offsets.append(first + offset) }
      codes += piece.codes
      counts += piece.counts
      targetCounts += piece.targetCounts
      weights += piece.weights
    }
  }

  /// Every code that occurs, as key or as query, ascending.
  ///
  /// - Parameter codeCount: codes are below it.
  /// - Returns: one of each.
  func distinctCodes(codeCount: Int) -> [UInt64] {
    guard codeCount <= WindowTally.largestTable else {
      return Set(codes).union(queries).sorted()
    }
    var occurs = [Bool](repeating: false, count: codeCount)
    for code in codes { occurs[Int(code)] = true }
    for code in queries { occurs[Int(code)] = true }
    return occurs.indices.lazy.filter { occurs[$0] }.map(UInt64.init)
  }
}

/// Reads sequences, counts their windows and renames them.
struct WindowCounter {
  private let reader: any SequenceReader
  private let shape: WindowShape
  private let targets: CompressedCorpus.Targets
  private let columns: Int
  private var relabelling: Relabelling?
  private var tally: WindowTally
  private var tokens: [UInt8]
  private var law: [Double]
  /// The windows of a sequence under the codes that they are counted under, and where their counts are.
  private var found: [(code: UInt64, slot: Int)] = []

  init(
    source: some SequenceSource, shape: WindowShape, targets: CompressedCorpus.Targets,
    pairs: PairIdentity
  ) {
    relabelling = pairs == .upToRelabelling ? Relabelling(shape: shape) : nil
    reader = source.makeReader()
    self.shape = shape
    self.targets = targets
    columns = targets.columns(vocabulary: source.vocabulary)
    tally = WindowTally(shape: shape, length: source.length, columns: columns)
    tokens = [UInt8](repeating: 0, count: source.length + 1)
    law = [Double](repeating: 0, count: source.vocabulary)
  }

  mutating func count(_ sequences: Range<Int>) -> CountedSequences {
    var result = CountedSequences()
    for index in sequences {
      tokens.withUnsafeMutableBufferPointer { reader.read(index, into: $0) }
      tokens.withUnsafeBufferPointer { tally.count($0) }
      result.queries.append(nameWindows())
      appendEntries(to: &result)
      switch targets {
      case .sampled:
        result.weights.append(1)
      case .sampledAmongAll:
        for token in 0..<columns {
          result.weights.append(token == tokens[tokens.count - 1] ? 1 : 0)
        }
      case .expected:
        law.withUnsafeMutableBufferPointer { reader.targetLaw(into: $0) }
        result.weights += law
      }
    }
    return result
  }

  /// Lists what was found under the codes that it is counted under, ascending, and gives that of the query.
  private mutating func nameWindows() -> UInt64 {
    var query = tokens.withUnsafeBufferPointer {
      shape.code(at: tokens.count, in: $0, isOutput: true)
    }
    found.removeAll(keepingCapacity: true)
    for slot in tally.slots { found.append((tally.code(ofSlot: slot), slot)) }
    if var relabelling = relabelling.take() {
      query = relabelling.query(query)
      for i in found.indices { found[i].code = relabelling.key(found[i].code) }
      self.relabelling = relabelling
    }
    found.sort { $0.code < $1.code }
    return query
  }

  /// Appends the counts of one sequence and forgets them.
  private mutating func appendEntries(to result: inout CountedSequences) {
    var last: UInt64?
    for (code, slot) in found {
      // Windows that a renaming makes equal are neighbours now.
      if code != last {
        result.codes.append(code)
        result.counts.append(0)
        for _ in 0..<columns { result.targetCounts.append(0) }
        last = code
      }
      result.counts[result.counts.count - 1] += Float(tally.count(inSlot: slot))
      let row = result.targetCounts.count - columns
      for column in 0..<columns {
        result.targetCounts[row + column] += Float(tally.targetCount(inSlot: slot, column))
      }
    }
    result.offsets.append(result.codes.count)
    tally.clear()
  }
}
