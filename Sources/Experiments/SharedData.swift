import Corpora
import InductionHeads
import Synchronization

/// Data that flows have in common which differ only in the model: sampled and compressed once.
///
/// The last few are kept. Whoever asks for data that are just being prepared waits for them.
public final class SharedData: Sendable {
  /// What data depend on.
  struct Key: Hashable, Sendable {
    let data: DataSettings
    let loss: LossSettings
    let completeShare: Double?
    let shape: WindowShape
    let pairs: PairIdentity
  }

  private final class Entry: Sendable {
    let key: Key
    let objective = Mutex<(any WindowObjective)?>(nil)

    init(_ key: Key) { self.key = key }
  }

  /// Those that were asked for last, the latest at the end.
  private let entries = Mutex<[Entry]>([])
  /// So many are kept.
  private let limit: Int

  /// Nothing yet.
  ///
  /// - Parameter limit: how many data sets are kept, ≥ 1.
  public init(limit: Int = 2) {
    precondition(limit >= 1, "what is shared must be kept")
    self.limit = limit
  }

  /// A loss on given data, of whichever model it was made for.
  func objective(
    for key: Key, _ make: () -> any WindowObjective
  ) -> any WindowObjective {
    let entry = entries.withLock { entries in
      let known = entries.firstIndex { $0.key == key }.map { entries.remove(at: $0) }
      let entry = known ?? Entry(key)
      entries.append(entry)
      if entries.count > limit { entries.removeFirst() }
      return entry
    }
    return entry.objective.withLock { objective in
      if let objective { return objective }
      let made = make()
      objective = made
      return made
    }
  }
}
