import CNumerics.Sundials

/// CVODE: steps through y′ = f(t, y) with error control and located events.
///
/// The caller drives it one step at a time, and so can watch, stop or cancel between steps:
///
/// ```swift
/// var integrator = try Integrator(equation, from: 0, state: [1, 0])
/// while integrator.time < 10 {
///   _ = try integrator.step(toward: 10)
/// }
/// try integrator.interpolate(at: 10, into: &state)
/// ```
///
/// ## Times
///
/// - ``time`` is tₙ, how far the solver has got.
/// - ``reportedTime`` is the time the last call of ``step(toward:)`` returned for: tₙ, or the time
///   of an event inside the last step, then before tₙ. ``withState(_:)`` lends the state there.
/// - ``interpolationInterval`` is the last step, [tₙ − h, tₙ] with h = ``stepSize``, also while
///   its events are being reported.
///
/// ## Threads
///
/// An integrator belongs to one thread at a time, and its closures run on that thread. Two
/// integrators share nothing and may run in two threads.
public struct Integrator: ~Copyable {
  // Freed in this order, although any would do: see `Handles.swift`.
  let memory: MemoryHandle
  let corrector: NonlinearSolverHandle
  let linearSolver: LinearSolverHandle?
  let state: VectorHandle
  let scratch: VectorHandle
  let weights: VectorHandle
  let callbacks: Callbacks
  let context: Context

  /// The options it was made with.
  public let options: IntegratorOptions

  /// The time that the last call of ``step(toward:)`` returned for.
  ///
  /// Everything before it has been reported: all events up to here, none after. At the start, and
  /// after ``restart(at:state:)``, it is the initial time.
  public internal(set) var reportedTime: Double

  /// Whether the events reported last lie at the end of their step, whose end is yet to be reported.
  var eventsEndTheStep = false

  /// Whether no step was tried since the start or the last restart.
  var isFresh = true

  /// Steps in a row that did not move the time, and the last thing that went wrong in them.
  var standstill: (steps: Int, cause: Callbacks.Failure?) = (0, nil)

  /// The work before the last restart.
  var earlierWork = Statistics()

  /// An integrator at the start of an initial value problem; evaluates nothing yet.
  ///
  /// - Parameters:
  ///   - equation: y′ = f(t, y).
  ///   - events: functions whose zeros end a step; `nil` for none.
  ///   - start: the initial time, finite.
  ///   - state: the initial state, `equation.dimension` components.
  ///   - options: method, tolerances and limits.
  /// - Throws: ``IntegrationError`` if the library has no memory or refuses an option.
  /// - Precondition: the state has the right number of components, and the options lie in their
  ///   ranges.
  public init(
    _ equation: OrdinaryDifferentialEquation, events: EventFunctions? = nil, from start: Double,
    state: [Double], options: IntegratorOptions = IntegratorOptions()
  ) throws(IntegrationError) {
    try self.init(
      equation, events: events, from: start, state: state, options: options, context: Context())
  }

  /// The same, in a context that the caller can look at.
  package init(
    _ equation: OrdinaryDifferentialEquation, events: EventFunctions? = nil, from start: Double,
    state initial: [Double], options: IntegratorOptions, context: Context
  ) throws(IntegrationError) {
    options.checkRanges()
    precondition(start.isFinite, "the initial time is finite, not \(start)")
    let n = equation.dimension
    let state = try VectorHandle(count: n, in: context)
    state.assign(initial)
    let scratch = try VectorHandle(count: n, in: context)
    let weights = try VectorHandle(count: n, in: context)
    let memory = try MemoryHandle(method: options.method, in: context)
    let corrector = try NonlinearSolverHandle(options.corrector, like: state, in: context)
    let callbacks = Callbacks(equation, events)

    let check = Checker(context: context, time: start)
    let cvode = unsafe memory.pointer
    let owner = unsafe Unmanaged.passUnretained(callbacks).toOpaque()
    try check("CVodeInit", unsafe CNInitialize(cvode, derivativeCallback, start, state.pointer))
    try check("CVodeSetUserData", unsafe CVodeSetUserData(cvode, owner))
    try unsafe options.apply(to: cvode, check)
    try check(
      "CVodeSetNonlinearSolver", unsafe CVodeSetNonlinearSolver(cvode, corrector.pointer))
    try check(  // the corrector's limit belongs to the corrector
      "CVodeSetMaxNonlinIters",
      unsafe CVodeSetMaxNonlinIters(cvode, Int32(options.maximumCorrectorIterations)))
    let linearSolver: LinearSolverHandle?
    if case .newton(let kind) = options.corrector {
      let solver = try LinearSolverHandle(kind, like: state, in: context)
      try unsafe solver.attach(to: cvode, for: equation, check)
      linearSolver = consume solver
    } else {
      linearSolver = nil
    }
    if let events {
      try check(
        "CVodeRootInit", unsafe CNSetEvents(cvode, Int32(events.count), eventCallback))
      var signs: [Int32] = events.directions.map {
        switch $0 {
        case .rising: 1
        case .falling: -1
        case .either: 0
        }
      }
      try check("CVodeSetRootDirection", unsafe CVodeSetRootDirection(cvode, &signs))
    }

    self.memory = memory
    self.corrector = corrector
    self.linearSolver = linearSolver
    self.state = state
    self.scratch = scratch
    self.weights = weights
    self.callbacks = callbacks
    self.context = context
    self.options = options
    reportedTime = start
  }

  /// The number of components.
  public var dimension: Int { state.count }

  /// Starts anew at another time or state, with the same equation, events and options.
  ///
  /// The solver forgets its history, as a new integrator would; only ``statistics`` go on.
  ///
  /// - Parameters:
  ///   - start: the new initial time, finite.
  ///   - values: the new initial state, ``dimension`` components.
  /// - Throws: ``IntegrationError`` if the library refuses.
  public mutating func restart(at start: Double, state values: [Double]) throws(IntegrationError) {
    precondition(start.isFinite, "the initial time is finite, not \(start)")
    let work = statistics
    state.assign(values)
    context.clearMessage()
    let check = Checker(context: context, time: start)
    try check("CVodeReInit", unsafe CVodeReInit(memory.pointer, start, state.pointer))
    earlierWork = work
    callbacks.forgetCounts()
    reportedTime = start
    standstill = (0, nil)
    eventsEndTheStep = false
    isFresh = true
  }
}

/// Turns a code that is not success into a typed error.
struct Checker {
  let context: Context
  let time: Double

  func callAsFunction(_ call: String, _ code: Int32) throws(IntegrationError) {
    guard code == CV_SUCCESS else {
      throw .setup(call, ReturnCode(rawValue: code), message: context.message, time: time)
    }
  }
}

extension IntegratorOptions {
  /// Tells CVODE about everything but the solvers and the first step.
  fileprivate func apply(to cvode: UnsafeMutableRawPointer, _ check: Checker)
    throws(IntegrationError)
  {
    try check(
      "CVodeSStolerances",
      unsafe CVodeSStolerances(cvode, relativeTolerance, absoluteTolerance))
    if let maximumOrder {
      try check("CVodeSetMaxOrd", unsafe CVodeSetMaxOrd(cvode, Int32(maximumOrder)))
    }
    // The caller counts steps; a negative limit is none.
    try check("CVodeSetMaxNumSteps", unsafe CVodeSetMaxNumSteps(cvode, -1))
    if minimumStep > 0 {
      try check("CVodeSetMinStep", unsafe CVodeSetMinStep(cvode, minimumStep))
    }
    if maximumStep.isFinite {
      try check("CVodeSetMaxStep", unsafe CVodeSetMaxStep(cvode, maximumStep))
    }
    try check(
      "CVodeSetMaxConvFails", unsafe CVodeSetMaxConvFails(cvode, Int32(maximumCorrectorFailures)))
    try check(
      "CVodeSetMaxErrTestFails",
      unsafe CVodeSetMaxErrTestFails(cvode, Int32(maximumErrorTestFailures)))
    if detectsStabilityLimit {
      try check("CVodeSetStabLimDet", unsafe CVodeSetStabLimDet(cvode, 1))
    }
  }
}

extension LinearSolverHandle {
  /// Gives the solver to CVODE, with the derivatives the equation knows.
  fileprivate borrowing func attach(
    to cvode: UnsafeMutableRawPointer, for equation: OrdinaryDifferentialEquation,
    _ check: Checker
  ) throws(IntegrationError) {
    let isDense = unsafe matrixPointer != nil
    try check("CVodeSetLinearSolver", unsafe CVodeSetLinearSolver(cvode, pointer, matrixPointer))
    if isDense && equation.jacobian != nil {
      try check("CVodeSetJacFn", unsafe CNSetJacobian(cvode, jacobianCallback))
    }
    if !isDense && equation.jacobianVectorProduct != nil {
      try check(
        "CVodeSetJacTimes", unsafe CNSetJacobianVectorProduct(cvode, jacobianVectorCallback))
    }
  }
}
