import Corpora
import InductionHeads
import Synchronization

/// Data that flows have in common which differ only in the model: sampled and compressed once.
///
/// Those that were asked for last are kept, and others as long as a flow uses them. Whoever asks for data that are
/// just being prepared waits for them.
public final class SharedData: Sendable {
  /// What data depend on.
  struct Key: Hashable, Sendable {
    let data: DataSettings
    let loss: LossSettings
    let completeShare: Double?
    let shape: WindowShape
    let pairs: PairIdentity
    /// How many lanes sums run over hangs on it, and so do their last bits.
    let featureWidth: Int
  }

  private final class Entry: Sendable {
    let key: Key
    let objective = Mutex<(any WindowObjective)?>(nil)

    init(_ key: Key) { self.key = key }
  }

  private let latest = Mutex<Entry?>(nil)

  /// Nothing yet.
  public init() {}

  /// A loss on given data, of whichever model it was made for.
  func objective(
    for key: Key, _ make: () -> any WindowObjective
  ) -> any WindowObjective {
    let entry = latest.withLock { latest in
      if let latest, latest.key == key { return latest }
      let entry = Entry(key)
      latest = entry
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
