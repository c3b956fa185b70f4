/// The windows of some consecutive sequences, counted but not yet numbered.
struct CountedSequences {
  /// The code of each sequence's query window.
  var queries: [UInt64] = []
  /// Where each sequence's entries end.
  var ends: [Int] = []
  /// For each entry: the window's code, ascending within a sequence.
  var codes: [UInt64] = []
  /// For each entry: N(ω).
  var counts: [Float] = []
  /// For each entry and column: N(ω, e).
  var targetCounts: [Float] = []
  /// For each sequence and column: the target's weight.
  var weights: [Double] = []
  /// Every code that occurs, as key or as query, ascending.
  var distinctCodes: [UInt64] = []

  func entries(of sequence: Int) -> Range<Int> {
    (sequence == 0 ? 0 : ends[sequence - 1])..<ends[sequence]
  }

  func entryCodes(of sequence: Int) -> ArraySlice<UInt64> { codes[entries(of: sequence)] }
}

/// Counts windows with an open-addressing table that holds one sequence at a time.
final class WindowCounter {
  private let reader: any SequenceReader
  private let shape: WindowShape
  private let targets: CompressedCorpus.Targets
  private var relabelling: Relabelling?
  private let length: Int
  private var tokens: [UInt8]
  private var law: [Double]

  private let slotMask: Int
  /// Code + 1 in each slot, 0 when the slot is empty.
  private var slotCodes: [UInt64]
  /// N(ω) in each slot.
  private var slotCounts: [UInt32]
  /// N(ω, e), shape (slots, columns).
  private var slotTargetCounts: [UInt32]
  private let columns: Int

  init(
    source: some SequenceSource, shape: WindowShape, targets: CompressedCorpus.Targets,
    pairs: PairIdentity
  ) {
    relabelling = pairs == .upToRelabelling ? Relabelling(shape: shape) : nil
    reader = source.makeReader()
    self.shape = shape
    self.targets = targets
    length = source.length
    columns = targets == .sampled ? 1 : source.vocabulary
    tokens = [UInt8](repeating: 0, count: length + 1)
    law = [Double](repeating: 0, count: source.vocabulary)
    let most = min(length, shape.codeCount ?? length)
    var slots = 16
    while slots < 2 * most { slots *= 2 }
    slotMask = slots - 1
    slotCodes = [UInt64](repeating: 0, count: slots)
    slotCounts = [UInt32](repeating: 0, count: slots)
    slotTargetCounts = [UInt32](repeating: 0, count: slots * columns)
  }

  func count(_ sequences: Range<Int>) -> CountedSequences {
    var result = CountedSequences()
    var occurring: Set<UInt64> = []
    var touched: [(code: UInt64, slot: Int)] = []
    for index in sequences {
      tokens.withUnsafeMutableBufferPointer { reader.read(index, into: $0) }
      touched.removeAll(keepingCapacity: true)
      var query = tokens.withUnsafeBufferPointer { tokens in
        countWindows(of: tokens, touched: &touched)
        return shape.code(at: length + 1, in: tokens, isOutput: true)
      }
      if relabelling != nil {
        query = relabelling?.query(query) ?? query
        for i in touched.indices {
          touched[i].code = relabelling?.key(touched[i].code) ?? touched[i].code
        }
      }
      touched.sort { $0.code < $1.code }
      let first = result.codes.count
      for (code, slot) in touched {
        // Windows that a renaming makes equal are neighbours now.
        if result.codes.count == first || result.codes[result.codes.count - 1] != code {
          result.codes.append(code)
          result.counts.append(0)
          for _ in 0..<columns { result.targetCounts.append(0) }
          occurring.insert(code)
        }
        let entry = result.codes.count - 1
        result.counts[entry] += Float(slotCounts[slot])
        for column in 0..<columns {
          result.targetCounts[entry * columns + column] +=
            Float(slotTargetCounts[slot * columns + column])
          slotTargetCounts[slot * columns + column] = 0
        }
        slotCodes[slot] = 0
        slotCounts[slot] = 0
      }
      result.ends.append(result.codes.count)
      result.queries.append(query)
      occurring.insert(query)
      switch targets {
      case .sampled:
        result.weights.append(1)
      case .expected:
        law.withUnsafeMutableBufferPointer { reader.targetLaw(into: $0) }
        result.weights += law
      }
    }
    result.distinctCodes = occurring.sorted()
    return result
  }

  private func countWindows(
    of tokens: UnsafeBufferPointer<UInt8>, touched: inout [(code: UInt64, slot: Int)]
  ) {
    let (shape, columns, mask) = (shape, columns, slotMask)
    let target = tokens[length]
    let positions = shape.firstPosition...length
    slotCodes.withUnsafeMutableBufferPointer { codes in
      slotCounts.withUnsafeMutableBufferPointer { counts in
        slotTargetCounts.withUnsafeMutableBufferPointer { targetCounts in
          for position in positions {
            let code = shape.code(at: position, in: tokens, isOutput: false)
            // Fibonacci hashing spreads neighbouring codes over the table.
            var slot = Int(truncatingIfNeeded: (code &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
            while codes[slot] != code + 1 {
              if codes[slot] == 0 {
                codes[slot] = code + 1
                touched.append((code, slot))
                break
              }
              slot = (slot + 1) & mask
            }
            counts[slot] &+= 1
            let token = tokens[position - 1]
            if columns > 1 {
              targetCounts[slot * columns + Int(token)] &+= 1
            } else if token == target {
              targetCounts[slot] &+= 1
            }
          }
        }
      }
    }
  }
}
