import Corpora
import ParallelLoops

/// How the work is cut: into blocks that share a query, tiles of consecutive blocks that the read-out
/// takes together, and lanes of consecutive tiles.
///
/// The cut depends on the data alone and sums are reduced in lane order, so that results are
/// the same to the bit at every thread count.
struct WorkPlan: Sendable {
  /// The pairs (ω, q) of one query q, with some of the sequences that end in it.
  struct Block: Sendable {
    let query: Int
    let keys: Range<Int>
    /// Whether a key's slot is its window rather than its place among the keys.
    let isDense: Bool
    /// Places in arrays over keys.
    let slots: Int
    /// The sequences of a corpus; empty for a population, where all chains take part in every block.
    let sequences: Range<Int>

    /// The slot of the key at a place among the block's keys.
    @inline(__always)
    func slot(_ place: Int, _ windows: UnsafePointer<UInt32>) -> Int {
      isDense ? Int(windows[place]) : place
    }
  }

  let blocks: [Block]
  /// For each lane its tiles, ranges of blocks.
  let lanes: [[Range<Int>]]
  /// The most slots of any block.
  let widestBlock: Int

  /// The work over a compressed corpus: tiles of one block.
  ///
  /// - Parameters:
  ///   - corpus: what the work runs over.
  ///   - wanted: the most lanes wanted.
  init(_ corpus: CompressedCorpus, lanes wanted: Int) {
    let entries = corpus.entryCount
    // Large groups are split so that no block holds more than a quarter of a lane's work.
    let limit = max(1024, entries / (4 * wanted))
    var blocks: [Block] = []
    for group in corpus.groups {
      let first = corpus.entryOffsets[group.sequences.lowerBound]
      let last = corpus.entryOffsets[group.sequences.upperBound]
      let pieces = max(1, (last - first) / limit)
      for range in balancedRanges(group.sequences.count, lanes: pieces, cost: { _ in 1 }) {
        let start = group.sequences.lowerBound
        blocks.append(
          Block(
            query: group.query, keys: group.keys, isDense: group.isDense,
            slots: corpus.slotCount(of: group),
            sequences: start + range.lowerBound..<start + range.upperBound))
      }
    }
    // A key costs about as much as four entries: features, products, an exponential.
    let cut = balancedRanges(blocks.count, lanes: wanted) { index in
      let block = blocks[index]
      return corpus.entryOffsets[block.sequences.upperBound]
        - corpus.entryOffsets[block.sequences.lowerBound] + 4 * block.slots
    }
    lanes = cut.map { lane in lane.map { $0..<$0 + 1 } }
    widestBlock = blocks.map(\.slots).max() ?? 0
    self.blocks = blocks
  }

  /// The work over a population: one block for each window as the query.
  ///
  /// - Parameters:
  ///   - windows: W, the number of windows.
  ///   - tile: the most queries in a tile.
  ///   - wanted: the most lanes wanted.
  init(windows: Int, tile: Int, lanes wanted: Int) {
    blocks = (0..<windows).map {
      Block(query: $0, keys: 0..<windows, isDense: true, slots: windows, sequences: 0..<0)
    }
    lanes = balancedRanges(windows, lanes: wanted) { _ in 1 }.map { lane in
      stride(from: lane.lowerBound, to: lane.upperBound, by: tile).map {
        $0..<min($0 + tile, lane.upperBound)
      }
    }
    widestBlock = windows
  }

  /// The most blocks of any tile.
  var largestTile: Int { lanes.joined().map(\.count).max() ?? 0 }
}
