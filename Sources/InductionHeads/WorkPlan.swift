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
    /// Their counts.
    var piece: SequenceCounts.Piece?
  }

  let blocks: [Block]
  /// For each lane its tiles, ranges of blocks.
  let lanes: [[Range<Int>]]
  /// The most slots of any block, also of groups that have none because their loss is constant.
  let widestBlock: Int

  /// The work over a compressed corpus: tiles of one block, a block for each piece.
  ///
  /// - Parameters:
  ///   - corpus: what the work runs over.
  ///   - counts: its sequences in pieces.
  ///   - wanted: the most lanes wanted.
  init(_ corpus: CompressedCorpus, _ counts: SequenceCounts, lanes wanted: Int) {
    var blocks: [Block] = []
    var costs: [Int] = []
    for piece in counts.pieces {
      let group = corpus.groups[piece.group]
      blocks.append(
        Block(
          query: group.query, keys: group.keys, isDense: group.isDense,
          slots: corpus.slotCount(of: group), sequences: 0..<0, piece: piece))
      // In cycles: a block of eight counts takes about 4 of them, a key 20, and gathering it 15.
      costs.append(4 * piece.blocks + (group.isDense ? 20 : 35) * corpus.slotCount(of: group))
    }
    // Lanes of much less than 1e5 cycles would spend a good part of them on being added up. The next
    // multiple of four, which two or four threads share evenly.
    let useful = (costs.reduce(0, +) / 60_000 / 4 + 1) * 4
    let cut = balancedRanges(blocks.count, lanes: min(wanted, useful)) { costs[$0] }
    // A corpus whose sequences are all constant has no blocks, and one idle lane.
    lanes = cut.isEmpty ? [[]] : cut.map { lane in lane.map { $0..<$0 + 1 } }
    widestBlock = corpus.groups.map { corpus.slotCount(of: $0) }.max() ?? 0
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
      Block(
        query: $0, keys: 0..<windows, isDense: true, slots: windows, sequences: 0..<0)
    }
    lanes = balancedRanges(windows, lanes: wanted) { _ in 1 }.map { lane in
      balancedRanges(lane.count, lanes: (lane.count + tile - 1) / tile) { _ in 1 }.map {
        lane.lowerBound + $0.lowerBound..<lane.lowerBound + $0.upperBound
      }
    }
    widestBlock = windows
  }

  /// The most blocks of any tile.
  var largestTile: Int { lanes.joined().map(\.count).max() ?? 0 }
}
