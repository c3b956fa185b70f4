import Foundation

/// Lets runs begin as long as the memory of those that go on stays within a limit.
///
/// A run larger than the limit by itself goes alone.
package final class MemoryGate: @unchecked Sendable {
  // Unchecked: `used` is only touched while the condition is locked.
  private let condition = NSCondition()
  private let limit: Double
  private var used = 0.0

  /// A gate for so many bytes; nil for no limit.
  package init(limit: Int?) {
    self.limit = limit.map(Double.init) ?? .infinity
  }

  /// Runs `body` once its memory is free.
  package func enter<Result>(bytes: Double, _ body: () throws -> Result) rethrows -> Result {
    condition.lock()
    while used > 0, used + bytes > limit { condition.wait() }
    used += bytes
    condition.unlock()
    defer {
      condition.lock()
      used -= bytes
      condition.broadcast()
      condition.unlock()
    }
    return try body()
  }
}
