import CNumerics.Sundials

/// How a call of ``Integrator/step(toward:)`` ended.
public enum StepOutcome: Sendable, Hashable {
  /// The solver stands at ``Integrator/time``, and everything up to there has been reported.
  case stepped
  /// Events inside the last step, all at the same time.
  case events(at: Double, [EventOccurrence])
}

extension Integrator {
  /// Takes one internal step, or goes on to the next event inside the last one.
  ///
  /// Without events every call takes a step and returns ``StepOutcome/stepped``. When a step
  /// crosses events, each call returns the next of them, and the first call after the last one
  /// returns `.stepped` for the end of that same step, without a new one. To record an event and
  /// go on is therefore to call again; to stop there is not to.
  ///
  /// After `.events`, ``reportedTime`` and ``withState(_:)`` are at the event and ``time`` is at
  /// the end of the step, at or after the event.
  ///
  /// The solver steps past `target` when it pleases: the step that crosses it is the place to
  /// interpolate, and the events it crosses behind the target are not the caller's.
  ///
  /// - Parameter target: gives the direction and the scale of the first step after the start or a
  ///   restart; later calls ignore it.
  /// - Returns: whether the step is complete, or the events inside it.
  /// - Throws: ``IntegrationError``, also when 100 steps in a row were too small to move the time,
  ///   as happens where a solution ends. The solver then stands where it stood before the step;
  ///   ``statistics``, ``interpolate(at:derivative:into:)`` and ``restart(at:state:)`` go on
  ///   working.
  public mutating func step(toward target: Double) throws(IntegrationError) -> StepOutcome {
    callbacks.beginCall()
    context.clearMessage()
    if eventsEndTheStep {
      // CVODE would not report the rest of a step that is shorter than its roundoff, but go on.
      eventsEndTheStep = false
      reportedTime = time
      let code = unsafe CVodeGetDky(memory.pointer, time, 0, state.pointer)
      guard code == CV_SUCCESS else { throw failure("CVodeGetDky", ReturnCode(rawValue: code)) }
      return .stepped
    }
    if isFresh, let size = options.initialStep {
      let signed = target < reportedTime ? -size : size
      try Checker(context: context, time: reportedTime)(
        "CVodeSetInitStep", unsafe CVodeSetInitStep(memory.pointer, signed))
    }
    isFresh = false
    let before = time
    let isComplete = reportedTime == before  // otherwise the call may end the step of an event
    var reached = reportedTime
    let code = ReturnCode(
      rawValue: unsafe CVode(memory.pointer, target, state.pointer, &reached, CV_ONE_STEP))
    reportedTime = reached
    switch code {
    case .success:
      if isComplete { try watchForStandstill(since: before) }
      return .stepped
    case .rootReturn:
      // The same measure as in CVode itself.
      let roundoff = 100 * Double.ulpOfOne * (abs(time) + abs(stepSize))
      eventsEndTheStep = abs(time - reached) <= roundoff
      return .events(at: reached, try occurrences())
    default: throw failure("CVode", code)
    }
  }

  /// Throws after 100 steps in a row that left the time where it was.
  ///
  /// In front of a singularity CVODE takes steps below the resolution of t, for ever: a failure
  /// makes the step small, success makes it grow until it fails again.
  private mutating func watchForStandstill(since before: Double) throws(IntegrationError) {
    guard time == before else {
      standstill = (0, nil)
      return
    }
    standstill = (standstill.steps + 1, callbacks.failure ?? standstill.cause)
    guard standstill.steps >= 100 else { return }
    let cause = standstill.cause
    standstill = (0, nil)
    throw IntegrationError(
      reason: cause?.reason ?? .standstill, call: "CVode", code: .success,
      time: cause?.time ?? time, libraryMessage: context.message, underlying: cause?.underlying)
  }

  /// The time tₙ the solver has got to: the end of the last internal step.
  public var time: Double {
    unsafe value(of: CVodeGetCurrentTime)
  }

  /// The size h of the last step, negative when time runs backwards; 0 before the first one.
  public var stepSize: Double {
    isFresh ? 0 : unsafe value(of: CVodeGetLastStep)
  }

  /// The size the solver intends for the next step; 0 before the first one.
  public var nextStepSize: Double {
    isFresh ? 0 : unsafe value(of: CVodeGetCurrentStep)
  }

  /// The order of the formula in the last step; 0 before the first one.
  public var order: Int {
    var order: Int32 = 0
    if !isFresh { unsafe CVodeGetLastOrder(memory.pointer, &order) }
    return Int(order)
  }

  /// The size of the first step after the start or the last restart; 0 before it.
  public var firstStepSize: Double {
    isFresh ? 0 : unsafe value(of: CVodeGetActualInitStep)
  }

  /// The norm of the local error estimate of the last step; `nil` before the first one.
  ///
  /// √(1/n Σ (eᵢ wᵢ)²) with the estimate e and the weights w of that step. A step is accepted when
  /// it is at most 1.
  public var errorEstimate: Double? {
    guard hasStepped else { return nil }
    guard unsafe CVodeGetEstLocalErrors(memory.pointer, scratch.pointer) == CV_SUCCESS,
      unsafe CVodeGetErrWeights(memory.pointer, weights.pointer) == CV_SUCCESS
    else { return nil }
    return unsafe N_VWrmsNorm(scratch.pointer, weights.pointer)
  }

  /// Whether a step was completed since the start or the last restart.
  var hasStepped: Bool {
    var steps = 0
    if !isFresh { unsafe CVodeGetNumSteps(memory.pointer, &steps) }
    return steps > 0
  }

  private func value(
    of get: (UnsafeMutableRawPointer?, UnsafeMutablePointer<Double>?) -> Int32
  ) -> Double {
    var value = 0.0
    _ = unsafe get(memory.pointer, &value)
    return value
  }

  private func occurrences() throws(IntegrationError) -> [EventOccurrence] {
    guard let events = callbacks.events else { return [] }
    var signs = [Int32](repeating: 0, count: events.count)
    let code = unsafe CVodeGetRootInfo(memory.pointer, &signs)
    guard code == CV_SUCCESS else { throw failure("CVodeGetRootInfo", ReturnCode(rawValue: code)) }
    return signs.indices.filter { signs[$0] != 0 }.map {
      EventOccurrence(index: $0, direction: signs[$0] > 0 ? .rising : .falling)
    }
  }

  /// The error for a call that failed, from its code and what happened in the closures.
  func failure(_ call: String, _ code: ReturnCode) -> IntegrationError {
    let cause = callbacks.failure.flatMap { failure in
      // After a recoverable failure the solver may go on and fail for a reason of its own.
      !failure.isRecoverable || code.mayFollowRecoverableFailure ? failure : nil
    }
    return IntegrationError(
      reason: cause?.reason ?? .solver, call: call, code: code, time: cause?.time ?? time,
      libraryMessage: context.message, underlying: cause?.underlying)
  }
}

extension ReturnCode {
  /// Whether this is how CVODE gives up when a closure keeps failing recoverably.
  ///
  /// A failure inside a difference quotient or a Krylov product ends as one of convergence.
  fileprivate var mayFollowRecoverableFailure: Bool {
    switch self {
    case .firstDerivativeFailure, .repeatedDerivativeFailure, .unrecoverableDerivativeFailure,
      .convergenceFailure, .linearSetupFailure, .linearSolveFailure:
      true
    default: false
    }
  }
}
