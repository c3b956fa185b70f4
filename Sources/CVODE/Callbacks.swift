import CNumerics.Sundials

/// The closures of one integrator, and what happened in them; CVODE carries it as `user_data`.
///
/// The integrator owns the box, so CVODE gets it unretained. Nothing thrown crosses C: an error
/// stays in the box, the callback returns −1 (or +1, which asks for a smaller step), and the
/// integrator throws the error when CVODE comes back.
final class Callbacks {
  let equation: OrdinaryDifferentialEquation
  let events: EventFunctions?

  /// The last thing that went wrong since the call into the library began.
  private(set) var failure: Failure?
  private(set) var nonFiniteEvaluations = 0
  private(set) var recoverableFailures = 0

  /// Something that went wrong in a closure.
  struct Failure {
    let reason: IntegrationError.Reason
    let time: Double
    let underlying: (any Error)?
    /// Whether CVODE was told that a smaller step may help.
    let isRecoverable: Bool
  }

  init(_ equation: OrdinaryDifferentialEquation, _ events: EventFunctions?) {
    self.equation = equation
    self.events = events
  }

  /// Forgets what went wrong before.
  func beginCall() { failure = nil }

  /// Starts counting at zero.
  func forgetCounts() {
    nonFiniteEvaluations = 0
    recoverableFailures = 0
  }

  /// Runs a closure that fills `result`, and says in CVODE's terms how it went.
  @inline(__always)
  fileprivate func run(
    at t: Double, into result: UnsafeMutableBufferPointer<Double>,
    ifNotFinite reason: IntegrationError.Reason, _ body: (inout MutableSpan<Double>) throws -> Void
  ) -> Int32 {
    do {
      var span = unsafe result.mutableSpan
      try body(&span)
    } catch {
      return note(error, at: t)
    }
    if unsafe allFinite(result) { return 0 }
    let isRecoverable = reason == .nonFiniteDerivative
    if isRecoverable { nonFiniteEvaluations += 1 }
    failure = Failure(reason: reason, time: t, underlying: nil, isRecoverable: isRecoverable)
    return isRecoverable ? 1 : -1
  }

  private func note(_ error: any Error, at t: Double) -> Int32 {
    let isRecoverable = error is RecoverableFailure
    if isRecoverable { recoverableFailures += 1 }
    failure = Failure(
      reason: .callback, time: t, underlying: error, isRecoverable: isRecoverable)
    return isRecoverable ? 1 : -1
  }
}

/// Whether every value is finite; an integer maximum, which the compiler can vectorise.
private func allFinite(_ values: UnsafeMutableBufferPointer<Double>) -> Bool {
  // A Double is infinite or not a number when all bits of its exponent are set.
  let exponent: UInt64 = 0x7FF0_0000_0000_0000
  var largest: UInt64 = 0
  for i in 0..<values.count {
    largest = max(largest, unsafe values[i].bitPattern & exponent)
  }
  return largest != exponent
}

// MARK: - What C calls

private func callbacks(_ owner: UnsafeMutableRawPointer) -> Callbacks {
  unsafe Unmanaged<Callbacks>.fromOpaque(owner).takeUnretainedValue()
}

private func elements(_ vector: N_Vector, _ count: Int) -> UnsafeMutableBufferPointer<Double> {
  unsafe UnsafeMutableBufferPointer(start: CNVectorData(vector), count: count)
}

/// f(t, y).
let derivativeCallback: CNDerivativeFunction = { t, state, derivative, owner in
  let box = unsafe callbacks(owner)
  let n = box.equation.dimension
  let y = unsafe elements(state, n)
  return unsafe box.run(at: t, into: elements(derivative, n), ifNotFinite: .nonFiniteDerivative) {
    try box.equation.derivative(t, unsafe y.span, &$0)
  }
}

/// g(t, y).
let eventCallback: CNEventFunction = { t, state, values, owner in
  let box = unsafe callbacks(owner)
  guard let events = box.events else { return -1 }
  let y = unsafe elements(state, box.equation.dimension)
  let g = unsafe UnsafeMutableBufferPointer(start: values, count: events.count)
  return unsafe box.run(at: t, into: g, ifNotFinite: .nonFiniteEvent) {
    try events.values(t, unsafe y.span, &$0)
  }
}

/// ∂f/∂y.
let jacobianCallback: CNJacobianFunction = { t, state, _, jacobian, owner, _, _, _ in
  let box = unsafe callbacks(owner)
  guard let closure = box.equation.jacobian else { return -1 }
  let n = box.equation.dimension
  let y = unsafe elements(state, n)
  let entries = unsafe UnsafeMutableBufferPointer(start: CNMatrixData(jacobian), count: n * n)
  return unsafe box.run(at: t, into: entries, ifNotFinite: .nonFiniteDerivative) {
    try closure(t, unsafe y.span, &$0)
  }
}

/// (∂f/∂y) v.
let jacobianVectorCallback: CNJacobianVectorFunction = {
  direction, product, t, state, _, owner, _ in
  let box = unsafe callbacks(owner)
  guard let closure = box.equation.jacobianVectorProduct else { return -1 }
  let n = box.equation.dimension
  let y = unsafe elements(state, n)
  let v = unsafe elements(direction, n)
  return unsafe box.run(at: t, into: elements(product, n), ifNotFinite: .nonFiniteDerivative) {
    try closure(t, unsafe y.span, unsafe v.span, &$0)
  }
}
