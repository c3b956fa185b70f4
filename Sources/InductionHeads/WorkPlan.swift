import Corpora
import ParallelLoops

/// How the work over a compressed corpus is cut: into blocks of sequences that share a group, and
/// into lanes of consecutive blocks.
///
/// The cut depends on the corpus alone and sums are reduced in lane order, so that results are
/// the same to the bit at every thread count.
struct WorkPlan: Sendable {
  /// Some sequences of one group, together with all its keys.
  struct Block: Sendable {
    let query: Int
    let keys: Range<Int>
    /// Whether a key's slot is its window rather than its place among the keys.
    let isDense: Bool
    /// Places in arrays over keys.
    let slots: Int
    let sequences: Range<Int>

    /// The slot of the key at a place among the block's keys.
    @inline(__always)
    func slot(_ place: Int, _ windows: UnsafePointer<UInt32>) -> Int {
      isDense ? Int(windows[place]) : place
    }
  }

  let blocks: [Block]
  let lanes: [Range<Int>]
  /// The most slots of any block.
  let widestBlock: Int

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
    lanes = balancedRanges(blocks.count, lanes: wanted) { index in
      let block = blocks[index]
      return corpus.entryOffsets[block.sequences.upperBound]
        - corpus.entryOffsets[block.sequences.lowerBound] + 4 * block.slots
    }
    widestBlock = blocks.map(\.slots).max() ?? 0
    self.blocks = blocks
  }
}
