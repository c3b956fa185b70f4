/// A fixed run of zero-initialised doubles at a stable address that vectors of 64 bytes are aligned to,
/// freed with its owner.
package final class Buffer {
  package let pointer: UnsafeMutablePointer<Double>
  package let count: Int

  package init(_ count: Int) {
    self.count = count
    let room = max(1, count)
    pointer = UnsafeMutableRawPointer.allocate(byteCount: room * 8, alignment: 64)
      .initializeMemory(as: Double.self, repeating: 0, count: room)
  }

  deinit { pointer.deallocate() }

  package func clear() { pointer.update(repeating: 0, count: count) }

  /// Adds another buffer of the same length.
  func add(_ other: Buffer) {
    addScaled(1, other.pointer, to: pointer, count)
  }
}
