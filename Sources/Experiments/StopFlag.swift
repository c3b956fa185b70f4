import Synchronization

/// Whether all runs that go on together are to stop.
final class StopFlag: Sendable {
  private let flag = Atomic<Bool>(false)

  var isSet: Bool { flag.load(ordering: .relaxed) }

  func set() { flag.store(true, ordering: .relaxed) }

  /// The same observer, whose first no holds for all runs.
  func watching(
    _ observer: @escaping @Sendable (EnsembleProgress) -> Bool
  ) -> @Sendable (EnsembleProgress) -> Bool {
    { [self] progress in
      if !observer(progress) { set() }
      return !isSet
    }
  }
}
