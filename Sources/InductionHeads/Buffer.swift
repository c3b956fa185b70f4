/// A fixed run of zero-initialised doubles with a stable address, freed with its owner.
final class Buffer {
  let pointer: UnsafeMutablePointer<Double>
  let count: Int

  init(_ count: Int) {
    self.count = count
    pointer = .allocate(capacity: max(1, count))
    pointer.initialize(repeating: 0, count: max(1, count))
  }

  deinit { pointer.deallocate() }

  func clear() { pointer.update(repeating: 0, count: count) }

  /// Adds another buffer of the same length.
  func add(_ other: Buffer) {
    for i in 0..<count { pointer[i] += other.pointer[i] }
  }
}
