import CKernels
import Corpora

/// Makes the parts of a ``SequenceCounts``, with buffers over the slots of a group.
///
/// The chunks of a part are formed greedily. Sequences are sorted by which of the most frequent windows
/// they have; then each chunk begins with the first one left, and seven times takes, among the next few
/// hundred, the one that adds the fewest windows. On the paper's data about a quarter of the counts that are
/// then stored is not zero at M = 5, two fifths at M = 3.
struct PartBuilder {
  private typealias Signature = SIMD4<UInt64>

  /// A sequence that counts, and how often it occurs.
  private struct Member {
    let sequence: Int
    /// Which windows it has, by their rank in frequency modulo 256, the most frequent in the highest bits.
    let signature: Signature
    let hash: UInt64
    var number = 1.0
  }

  private let corpus: CompressedCorpus
  private let loss: OutputLoss
  private let columns, countSize, slotSize: Int
  /// Of every slot: how often it occurs, its rank by that, and its counts in a chunk and column.
  private var frequency: [UInt32]
  private var rank: [UInt32]
  private var lanes: [SIMD8<UInt32>]
  private static let pool = 256

  init(
    _ corpus: CompressedCorpus, loss: OutputLoss, columns: Int, countSize: Int, slotSize: Int
  ) {
    self.corpus = corpus
    self.loss = loss
    self.columns = columns
    self.countSize = countSize
    self.slotSize = slotSize
    let slots = corpus.groups.map { corpus.slotCount(of: $0) }.max() ?? 0
    frequency = [UInt32](repeating: 0, count: slots)
    rank = frequency
    lanes = [SIMD8<UInt32>](repeating: .zero, count: slots)
  }

  /// Some sequences of one group.
  mutating func part(_ sequences: Range<Int>) -> SequenceCounts.Part {
    var part = SequenceCounts.Part()
    rankSlots(sequences)
    var members: [Member] = []
    members.reserveCapacity(sequences.count)
    for s in sequences {
      if let y = constantOutput(of: s) {
        part.constantLoss += loss.value(
          of: y, weights: corpus.targetWeights[s * corpus.columns..<(s + 1) * corpus.columns])
      } else {
        members.append(member(s))
      }
    }
    members = merged(members)
    // Reversed, so that what is taken comes off the end.
    members.reverse()
    var signatures = members.map(\.signature)
    while !members.isEmpty { append(takeChunk(&members, &signatures), to: &part) }
    return part
  }

  private func entries(_ s: Int) -> Range<Int> {
    corpus.entryOffsets[s]..<corpus.entryOffsets[s + 1]
  }

  /// Ranks the slots of some sequences by how many of them have it.
  private mutating func rankSlots(_ sequences: Range<Int>) {
    let all = corpus.entryOffsets[sequences.lowerBound]..<corpus.entryOffsets[sequences.upperBound]
    var present: [UInt32] = []
    for slot in corpus.entrySlots[all] {
      if frequency[Int(slot)] == 0 { present.append(slot) }
      frequency[Int(slot)] += 1
    }
    present.sort {
      let (a, b) = (frequency[Int($0)], frequency[Int($1)])
      return a == b ? $0 < $1 : a > b
    }
    for (place, slot) in present.enumerated() {
      rank[Int(slot)] = UInt32(place)
      frequency[Int(slot)] = 0
    }
  }

  private func member(_ s: Int) -> Member {
    var signature = Signature()
    var hash: UInt64 = 0
    for e in entries(s) {
      let place = Int(rank[Int(corpus.entrySlots[e])] & 255)
      signature[place >> 6] |= 1 << (63 - UInt64(place & 63))
      hash = mixed(hash, UInt64(corpus.entrySlots[e]))
      hash = mixed(hash, UInt64(corpus.entryCounts[e]))
      for column in 0..<corpus.columns {
        hash = mixed(hash, UInt64(corpus.entryTargetCounts[e * corpus.columns + column]))
      }
    }
    return Member(sequence: s, signature: signature, hash: hash)
  }

  private func mixed(_ hash: UInt64, _ value: UInt64) -> UInt64 {
    let product = (hash ^ value) &* 0x9E37_79B9_7F4A_7C15
    return product ^ (product >> 29)
  }

  /// Members sorted by the windows they have, equal ones merged.
  private func merged(_ members: [Member]) -> [Member] {
    let sorted = members.sorted {
      let (a, b) = ($0.signature, $1.signature)
      for word in 0..<4 where a[word] != b[word] { return a[word] > b[word] }
      return $0.hash == $1.hash ? $0.sequence < $1.sequence : $0.hash < $1.hash
    }
    var merged: [Member] = []
    merged.reserveCapacity(sorted.count)
    for member in sorted {
      if let last = merged.last, last.hash == member.hash,
        areEqual(last.sequence, member.sequence)
      {
        merged[merged.count - 1].number += 1
      } else {
        merged.append(member)
      }
    }
    return merged
  }

  /// Whether two sequences of a group have the same counts and the same weights.
  private func areEqual(_ a: Int, _ b: Int) -> Bool {
    let columns = corpus.columns
    func scaled(_ range: Range<Int>) -> Range<Int> {
      range.lowerBound * columns..<range.upperBound * columns
    }
    let (left, right) = (entries(a), entries(b))
    return corpus.entrySlots[left].elementsEqual(corpus.entrySlots[right])
      && corpus.entryCounts[left].elementsEqual(corpus.entryCounts[right])
      && corpus.entryTargetCounts[scaled(left)].elementsEqual(
        corpus.entryTargetCounts[scaled(right)])
      && corpus.targetWeights[scaled(a..<a + 1)].elementsEqual(
        corpus.targetWeights[scaled(b..<b + 1)])
  }

  /// y of a sequence if it is the same for all θ, else nil.
  private func constantOutput(of s: Int) -> [Double]? {
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

  /// Takes up to eight members off the end that have many windows in common.
  private func takeChunk(_ members: inout [Member], _ signatures: inout [Signature]) -> [Member] {
    var chunk = [members.removeLast()]
    var union = signatures.removeLast()
    while chunk.count < SequenceCounts.lanes, !members.isEmpty {
      let pool = min(Self.pool, members.count)
      let place = gf_fewest_new_bits(signatures, members.count - pool, pool, &union)
      chunk.append(members.remove(at: place))
      union |= signatures.remove(at: place)
    }
    return chunk
  }

  /// Appends the blocks of a chunk.
  private mutating func append(_ chunk: [Member], to part: inout SequenceCounts.Part) {
    let width = SequenceCounts.lanes
    for column in 0..<columns {
      var present: [UInt32] = []
      for (lane, member) in chunk.enumerated() {
        for e in entries(member.sequence) {
          let count = count(e, column)
          if count == 0 { continue }
          let slot = corpus.entrySlots[e]
          if lanes[Int(slot)] == .zero { present.append(slot) }
          lanes[Int(slot)][lane] = count
        }
      }
      present.sort()
      // An even number, with a block of zeros if need be.
      if !present.count.isMultiple(of: 2) { present.append(present[present.count - 1]) }
      let first = Int(part.offsets.last ?? 0)
      let end = first + present.count
      part.slots.append(contentsOf: repeatElement(0, count: present.count * slotSize))
      part.counts.append(contentsOf: repeatElement(0, count: present.count * width * countSize))
      part.slots.withUnsafeMutableBytes { slots in
        part.counts.withUnsafeMutableBytes { counts in
          for (block, slot) in zip(first..<end, present) {
            store(lanes[Int(slot)], in: counts, at: block)
            lanes[Int(slot)] = .zero
            if slotSize == 2 {
              slots.storeBytes(of: UInt16(slot), toByteOffset: 2 * block, as: UInt16.self)
            } else {
              slots.storeBytes(of: slot, toByteOffset: 4 * block, as: UInt32.self)
            }
          }
        }
      }
      part.offsets.append(Int64(end))
    }
    for target in 0..<corpus.columns {
      for lane in 0..<width {
        part.weights.append(
          lane < chunk.count
            ? corpus.targetWeights[chunk[lane].sequence * corpus.columns + target]
              * chunk[lane].number : 0)
      }
    }
  }

  /// N(ω, e) of an entry; of sampled targets the second column counts all other tokens.
  private func count(_ e: Int, _ column: Int) -> UInt32 {
    if corpus.columns > 1 {
      return UInt32(corpus.entryTargetCounts[e * corpus.columns + column])
    }
    let target = corpus.entryTargetCounts[e]
    return UInt32(column == 0 ? target : corpus.entryCounts[e] - target)
  }

  /// Stores the counts of a block in `countSize` bytes each.
  private func store(
    _ counts: SIMD8<UInt32>, in bytes: UnsafeMutableRawBufferPointer, at block: Int
  ) {
    let place = block * SequenceCounts.lanes * countSize
    switch countSize {
    case 1:
      bytes.storeBytes(
        of: SIMD8<UInt8>(truncatingIfNeeded: counts), toByteOffset: place, as: SIMD8<UInt8>.self)
    case 2:
      bytes.storeBytes(
        of: SIMD8<UInt16>(truncatingIfNeeded: counts), toByteOffset: place, as: SIMD8<UInt16>.self)
    default: bytes.storeBytes(of: counts, toByteOffset: place, as: SIMD8<UInt32>.self)
    }
  }
}
