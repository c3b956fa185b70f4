/// A corpus reduced, exactly, to how often each window occurs with each next token.
///
/// The output of an induction-head model depends on a position only through its window ω, so the
/// loss sees a sequence only through N(ω) = #{l : ω_l = ω} and N(ω, e) = #{l : ω_l = ω, x_l = e}
/// (derived; see the article *Exact compression*). Sequences are sorted by the window q at their
/// output position: all that share q form a group, and a *key* of the group is a window ω that
/// occurs in one of its sequences. So every distinct pair (ω, q) is one key of one group. Where pairs count
/// as one up to a renaming of tokens (``PairIdentity``), windows are those that stand for others.
public struct CompressedCorpus: Sendable {
  /// The sequences that share the window at the output position.
  public struct Group: Sendable, Equatable {
    /// q, an index into `windows`.
    public let query: Int
    /// The group's keys, positions in `keyWindows`.
    public let keys: Range<Int>
    /// Whether most windows are keys, so that all of them get a slot: a key's slot is then its
    /// window, and otherwise its place among the group's keys.
    public let isDense: Bool
    /// The group's sequences, in the order of this corpus.
    public let sequences: Range<Int>
  }

  /// What a sequence is asked to predict.
  public enum Targets: Sendable, Equatable {
    /// The token x_{L+1} that was drawn.
    case sampled
    /// The same, with counts of every token: for losses of all that is predicted, not only of x_{L+1}.
    case sampledAmongAll
    /// The law π(· | context) that it was drawn from: the same expected flow, with less noise.
    case expected

    /// Target columns per sequence with d tokens.
    func columns(vocabulary: Int) -> Int { self == .sampled ? 1 : vocabulary }
  }

  /// The distinct windows.
  public let windows: WindowTable
  /// One group for each distinct query window.
  public let groups: [Group]
  /// For each pair (ω, q), grouped by q: ω, an index into `windows`.
  public let keyWindows: [UInt32]
  /// Where each sequence's entries start; N + 1 values.
  public let entryOffsets: [Int]
  /// For each entry: the slot of its key in its sequence's group.
  public let entrySlots: [UInt32]
  /// For each entry: N(ω).
  public let entryCounts: [Float]
  /// For each entry and target column: N(ω, e), shape (entries, columns).
  public let entryTargetCounts: [Float]
  /// Target columns per sequence: 1 (the sampled target) or d (every token, weighed by its law).
  public let columns: Int
  /// The weight of each column, shape (N, columns); rows sum to one.
  public let targetWeights: [Double]
  /// Where each sequence stood in its source.
  public let sourceIndices: [Int]

  /// Places for a group's keys: all windows if the group is dense, else its keys alone.
  public func slotCount(of group: Group) -> Int {
    group.isDense ? windows.count : group.keys.count
  }

  /// N.
  public var sequenceCount: Int { sourceIndices.count }
  /// Distinct pairs (ω, q).
  public var pairCount: Int { keyWindows.count }
  /// Distinct (sequence, window) combinations.
  public var entryCount: Int { entrySlots.count }

  /// Bytes held by the arrays.
  public var bytes: Int {
    groups.count * MemoryLayout<Group>.stride + keyWindows.count * 4 + entryOffsets.count * 8
      + entrySlots.count * 4 + entryCounts.count * 4 + entryTargetCounts.count * 4
      + targetWeights.count * 8 + sourceIndices.count * 8 + windows.symbols.count * 2
  }
}
