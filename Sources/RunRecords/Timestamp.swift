// A point in time, written as ISO 8601 in UTC.

public import Foundation

/// A time to the millisecond; as text `2025-01-31T09:05:00.125Z`.
public struct Timestamp: Codable, Hashable, Sendable, Comparable, CustomStringConvertible {
  /// Milliseconds since the start of 1970, UTC.
  public let milliseconds: Int
  /// The same moment on a clock that nobody sets; of this process alone, and not a part of the value.
  private var moment: ContinuousClock.Instant?

  /// Rounds a date to the millisecond.
  public init(_ date: Date) {
    milliseconds = Int((date.timeIntervalSince1970 * 1000).rounded())
  }

  /// The present time.
  public static func now() -> Timestamp {
    var now = Timestamp(Date())
    now.moment = .now
    return now
  }

  /// Seconds from another time to this one.
  ///
  /// Between two that this process took, whatever the machine's clock was set to meanwhile.
  public func seconds(since other: Timestamp) -> Double {
    if let moment, let start = other.moment { return (moment - start) / .seconds(1) }
    return Double(milliseconds - other.milliseconds) / 1000
  }

  /// Whether both are the same millisecond.
  public static func == (left: Timestamp, right: Timestamp) -> Bool {
    left.milliseconds == right.milliseconds
  }

  /// Hashes the millisecond.
  public func hash(into hasher: inout Hasher) { hasher.combine(milliseconds) }

  private static let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

  /// The time in ISO 8601, UTC.
  public var description: String {
    // Half a millisecond more: the format truncates, and the quotient may lie just below.
    Date(timeIntervalSince1970: (Double(milliseconds) + 0.5) / 1000).formatted(Self.style)
  }

  /// Whether `left` is earlier than `right`.
  public static func < (left: Timestamp, right: Timestamp) -> Bool {
    left.milliseconds < right.milliseconds
  }

  /// Reads ISO 8601 text.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let date = try? Date(text, strategy: Self.style) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "\"\(text)\" is not a time like 2025-01-31T09:05:00.125Z")
    }
    self.init(date)
  }

  /// Writes ISO 8601 text.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
