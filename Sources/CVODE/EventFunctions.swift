/// Functions g₁, …, gₘ of time and state whose zeros the integrator locates.
///
/// An event is a change of sign of gᵢ along the solution in one of its directions. Zeros without a
/// change of sign (g touches zero) and pairs of zeros inside one step are missed. A function that
/// is zero at the start is watched from the moment it leaves zero.
///
/// Give the functions a moderate size, say logarithms of ratios instead of shares of 1e−300:
/// SUNDIALS before 6.5 multiplies two values to see whether their signs differ, and a product that
/// underflows to zero hides the event.
public struct EventFunctions {
  /// Writes g₁, …, gₘ into its last argument.
  ///
  /// It may throw, which ends the step; a value that is not finite does the same.
  public typealias Values = (
    _ time: Double, _ state: Span<Double>, _ values: inout MutableSpan<Double>
  ) throws -> Void

  /// Which changes of sign count, one entry per function, in the order of integration.
  public let directions: [Direction]

  /// g.
  public let values: Values

  /// The number m of functions.
  public var count: Int { directions.count }

  /// The changes of sign that count as an event.
  public enum Direction: Sendable, Hashable {
    /// From negative to positive.
    case rising
    /// From positive to negative.
    case falling
    /// Both.
    case either
  }

  /// Describes event functions.
  ///
  /// - Parameters:
  ///   - directions: which changes of sign count, one entry per function, at least one entry.
  ///   - values: g.
  public init(directions: [Direction], values: @escaping Values) {
    precondition(!directions.isEmpty, "without event functions pass `events: nil`")
    self.directions = directions
    self.values = values
  }
}

/// One event function that changed its sign.
public struct EventOccurrence: Sendable, Hashable {
  /// How the sign changed, in the order of integration.
  public enum Direction: Sendable, Hashable {
    /// From negative to positive.
    case rising
    /// From positive to negative.
    case falling
  }

  /// The position of the function in ``EventFunctions/directions``.
  public let index: Int

  /// How its sign changed.
  public let direction: Direction

  /// An occurrence, as ``Integrator/step(toward:)`` reports it.
  ///
  /// - Parameters:
  ///   - index: the position of the function.
  ///   - direction: how its sign changed.
  public init(index: Int, direction: Direction) {
    self.index = index
    self.direction = direction
  }
}
