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
    let loss = Mutex<WindowLoss?>(nil)

    init(_ key: Key) { self.key = key }
  }

  private let latest = Mutex<Entry?>(nil)

  /// Nothing yet.
  public init() {}

  /// Posed data.
  ///
  /// - Parameters:
  ///   - key: what they depend on.
  ///   - make: makes them, where they are not known.
  /// - Returns: what is known, or was made.
  func loss(for key: Key, _ make: () -> WindowLoss) -> WindowLoss {
    let entry = latest.withLock { latest in
      if let latest, latest.key == key { return latest }
      let entry = Entry(key)
      latest = entry
      return entry
    }
    return entry.loss.withLock { loss in
      if let loss { return loss }
      let made = make()
      loss = made
      return made
    }
  }
}
