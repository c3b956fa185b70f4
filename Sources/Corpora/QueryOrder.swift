import ParallelLoops

/// Counted sequences sorted by their query window, ties in the order of the source.
struct QueryOrder {
  /// Where each sequence stood in the source.
  let sourceIndices: [Int]
  /// Where each sequence's entries start; N + 1 values.
  let entryOffsets: [Int]
  /// The same in the order of the source.
  private let sourceOffsets: [Int]
  /// Where the sequences of each query start; windows + 1 values.
  private let starts: [Int]
  private let segments: [Segment]
  private let threads: Int

  /// Some sequences of one query, few enough that threads find work even where queries are few.
  private struct Segment {
    static let longest = 4096
    let query: Int
    let sequences: Range<Int>
  }

  init(_ counted: CountedSequences, _ numbering: WindowNumbering, threads: Int) {
    let queries = counted.queries.map { numbering[$0] }
    var ends = [Int](repeating: 0, count: numbering.codes.count + 1)
    for query in queries { ends[query + 1] += 1 }
    for query in numbering.codes.indices { ends[query + 1] += ends[query] }
    let starts = ends
    var sourceIndices = [Int](repeating: 0, count: queries.count)
    for (index, query) in queries.enumerated() {
      sourceIndices[ends[query]] = index
      ends[query] += 1
    }
    var entryOffsets = [0]
    entryOffsets.reserveCapacity(queries.count + 1)
    var entries = 0
    for index in sourceIndices {
      entries += counted.offsets[index + 1] - counted.offsets[index]
      entryOffsets.append(entries)
    }
    self.starts = starts
    self.sourceIndices = sourceIndices
    self.entryOffsets = entryOffsets
    sourceOffsets = counted.offsets
    segments = numbering.codes.indices.flatMap { query in
      stride(from: starts[query], to: starts[query + 1], by: Segment.longest).map {
        Segment(query: query, sequences: $0..<min($0 + Segment.longest, starts[query + 1]))
      }
    }
    self.threads = threads
  }

  /// The sequences that end in a window.
  func sequences(of query: Int) -> Range<Int> { starts[query]..<starts[query + 1] }

  /// Rows that belong to entries, in this order.
  func entryRows<From, To>(_ rows: [From], columns: Int, _ value: (From) -> To) -> [To] {
    sorted(rows, columns: columns, from: sourceOffsets, to: entryOffsets, value)
  }

  /// Rows that belong to sequences, in this order.
  func sequenceRows<Value>(_ rows: [Value], columns: Int) -> [Value] {
    let offsets = Array(0...sourceIndices.count)
    return sorted(rows, columns: columns, from: offsets, to: offsets) { $0 }
  }

  private func sorted<From, To>(
    _ rows: [From], columns: Int, from sources: [Int], to targets: [Int], _ value: (From) -> To
  ) -> [To] {
    rows.withUnsafeBufferPointer { rows in
      [To](unsafeUninitializedCapacity: rows.count) { sorted, count in
        _ = inLanes(sourceIndices.count, threads: threads) { sequences in
          for s in sequences {
            let first = sources[sourceIndices[s]] * columns
            let range = targets[s] * columns..<targets[s + 1] * columns
            for i in range {
              sorted.initializeElement(at: i, to: value(rows[first + i - range.lowerBound]))
            }
          }
        }
        count = rows.count
      }
    }
  }

  /// The queries that occur, each with the windows of its sequences, ascending.
  ///
  /// - Parameter entries: the window of every entry, in this order.
  /// - Returns: ascending by query.
  func windowsOfQueries(_ entries: [UInt32]) -> [(query: Int, windows: [UInt32])] {
    let ofSegments = inSegments { segments in
      var isPresent = [Bool](repeating: false, count: starts.count)
      return segments.map { segment in
        distinct(entries[self.entries(of: segment)], &isPresent)
      }
    }
    var isPresent = [Bool](repeating: false, count: starts.count)
    var result: [(query: Int, windows: [UInt32])] = []
    for (segment, windows) in zip(segments, ofSegments.joined()) {
      if result.last?.query == segment.query {
        result[result.count - 1].windows += windows
      } else {
        result.append((segment.query, windows))
      }
    }
    for (place, query) in result.enumerated()
    where sequences(of: query.query).count > Segment.longest {
      result[place].windows = distinct(query.windows[...], &isPresent)
    }
    return result
  }

  /// Replaces the window of every entry by its slot.
  func number(
    _ entries: inout [UInt32], by groups: [CompressedCorpus.Group], _ keyWindows: [UInt32]
  ) {
    var groupOfQuery = [Int](repeating: 0, count: starts.count)
    for (index, group) in groups.enumerated() { groupOfQuery[group.query] = index }
    entries.withUnsafeMutableBufferPointer { entries in
      nonisolated(unsafe) let entries = entries
      _ = inSegments { segments in
        var slots = [UInt32](repeating: 0, count: starts.count)
        for segment in segments {
          let group = groups[groupOfQuery[segment.query]]
          if group.isDense { continue }
          for (slot, key) in group.keys.enumerated() { slots[Int(keyWindows[key])] = UInt32(slot) }
          for e in self.entries(of: segment) { entries[e] = slots[Int(entries[e])] }
        }
      }
    }
  }

  private func inSegments<Result>(_ body: (ArraySlice<Segment>) -> Result) -> [Result] {
    inLanes(segments.count, threads: threads, cost: { entries(of: segments[$0]).count }) {
      body(segments[$0])
    }
  }

  private func entries(of segment: Segment) -> Range<Int> {
    entryOffsets[segment.sequences.lowerBound]..<entryOffsets[segment.sequences.upperBound]
  }

  /// The distinct ones of some windows, ascending; `isPresent` is false for all windows.
  private func distinct(_ windows: ArraySlice<UInt32>, _ isPresent: inout [Bool]) -> [UInt32] {
    var present: [UInt32] = []
    for window in windows where !isPresent[Int(window)] {
      isPresent[Int(window)] = true
      present.append(window)
    }
    for window in present { isPresent[Int(window)] = false }
    return present.sorted()
  }
}
