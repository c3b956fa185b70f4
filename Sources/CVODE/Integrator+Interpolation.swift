import CNumerics.Sundials

extension Integrator {
  /// Lends the state at ``reportedTime`` for the duration of a call.
  ///
  /// - Parameter body: gets the state, ``dimension`` components.
  /// - Returns: what `body` returns.
  /// - Throws: what `body` throws.
  public borrowing func withState<Result, Failure: Error>(
    _ body: (Span<Double>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let elements = unsafe state.elements
    return try body(unsafe elements.span)
  }

  /// The times ``interpolate(at:derivative:into:)`` answers for: the last step.
  ///
  /// Before the first step it is the initial time alone.
  public var interpolationInterval: ClosedRange<Double> {
    let end = time
    let start = end - stepSize
    return min(start, end)...max(start, end)
  }

  /// Writes the k-th derivative of the solver's interpolating polynomial at a time in the last step.
  ///
  /// It is the polynomial the solver steps with, of the order of the last step, so values inside a
  /// step are about as accurate as those at its end; each derivative costs one order.
  ///
  /// - Parameters:
  ///   - t: a time in ``interpolationInterval``; a little roundoff outside is accepted.
  ///   - k: the order of the derivative, from 0 (the state) to the order of the last step.
  ///   - result: ``dimension`` components.
  /// - Throws: ``IntegrationError`` with ``ReturnCode/badTime`` or
  ///   ``ReturnCode/badDerivativeOrder`` if there is no such value.
  public func interpolate(
    at t: Double, derivative k: Int = 0, into result: inout MutableSpan<Double>
  ) throws(IntegrationError) {
    precondition(
      result.count == dimension, "the state has \(dimension) components, not \(result.count)")
    precondition(k >= 0, "a derivative has an order of 0 or more, not \(k)")
    context.clearMessage()
    callbacks.beginCall()
    guard hasStepped else {
      // There is no polynomial yet, only the initial state.
      guard t == time else { throw failure("CVodeGetDky", .badTime) }
      guard k == 0 else { throw failure("CVodeGetDky", .badDerivativeOrder) }
      copy(state, into: &result)
      return
    }
    guard t.isFinite else { throw failure("CVodeGetDky", .badTime) }
    let order = Int32(clamping: k)
    let code = unsafe CVodeGetDky(memory.pointer, t, order, scratch.pointer)
    guard code == CV_SUCCESS else { throw failure("CVodeGetDky", ReturnCode(rawValue: code)) }
    copy(scratch, into: &result)
  }

  private func copy(_ vector: borrowing VectorHandle, into result: inout MutableSpan<Double>) {
    let elements = unsafe vector.elements
    for i in 0..<elements.count { unsafe result[i] = elements[i] }
  }
}
