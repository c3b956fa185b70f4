/// Why an integration could not go on.
public struct IntegrationError: Error, CustomStringConvertible, Sendable {
  /// What stands behind the failure.
  public enum Reason: Sendable, Hashable {
    /// The solver itself gave up; see ``IntegrationError/code``.
    case solver
    /// A closure threw; see ``IntegrationError/underlying``.
    case callback
    /// f, ∂f/∂y or (∂f/∂y) v was not finite, and smaller steps did not help.
    case nonFiniteDerivative
    /// An event function was not finite.
    case nonFiniteEvent
    /// The steps have become too small to move the time; CVODE itself would go on for ever.
    case standstill
  }

  /// What stands behind the failure.
  public let reason: Reason

  /// The SUNDIALS function that failed, such as `CVode`.
  public let call: String

  /// What it returned.
  public let code: ReturnCode

  /// The time at which the closure failed, or else the time the solver had reached.
  public let time: Double

  /// What the library said; empty if nothing.
  public let libraryMessage: String

  /// The error a closure threw, unchanged.
  public let underlying: (any Error)?

  /// What to try, in a sentence.
  public var advice: String {
    switch reason {
    case .callback where !(underlying is RecoverableFailure):
      "The error comes from the equation or its event functions, not from the solver."
    case .nonFiniteEvent:
      "Event functions must be finite wherever the solution goes."
    case .standstill:
      "The solution ends or grows without bound here; look at the state."
    case .nonFiniteDerivative, .callback, .solver:
      code.advice ?? "Read the library's message."
    }
  }

  /// Reason, time, code, message and advice in a few sentences.
  public var description: String {
    let what =
      switch reason {
      case .solver: "\(call) failed with \(code)"
      case .callback: "A callback threw \"\(underlying.map { "\($0)" } ?? "")\""
      case .nonFiniteDerivative: "The derivative is not finite"
      case .nonFiniteEvent: "An event function is not finite"
      case .standstill: "The steps are too small to move the time"
      }
    let code = reason == .solver || self.code == .success ? "" : " \(call) returned \(self.code)."
    let message = libraryMessage.isEmpty ? "" : " The library says: \(libraryMessage)"
    return "\(what) at t = \(time).\(code)\(message) \(advice)"
  }
}
