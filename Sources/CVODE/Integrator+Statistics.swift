import CNumerics.Sundials

extension Integrator {
  /// The work since the integrator was made, over all restarts.
  public var statistics: Statistics {
    earlierWork + currentWork
  }

  /// The work since the start or the last restart.
  private var currentWork: Statistics {
    // CVodeReInit clears its own counts at once but the linear solver's only at the next step.
    if isFresh { return Statistics() }
    var work = Statistics()
    work.steps = unsafe count(CVodeGetNumSteps)
    work.derivativeEvaluations = unsafe count(CVodeGetNumRhsEvals)
    work.errorTestFailures = unsafe count(CVodeGetNumErrTestFails)
    work.correctorIterations = unsafe count(CVodeGetNumNonlinSolvIters)
    work.correctorFailures = unsafe count(CVodeGetNumNonlinSolvConvFails)
    work.correctorStepFailures = unsafe count(CVodeGetNumStepSolveFails)
    work.stabilityLimitOrderReductions = unsafe count(CVodeGetNumStabLimOrderReds)
    work.eventEvaluations = unsafe count(CVodeGetNumGEvals)
    work.nonFiniteEvaluations = callbacks.nonFiniteEvaluations
    work.recoverableFailures = callbacks.recoverableFailures
    if linearSolver != nil {
      work.linearSolverSetups = unsafe count(CVodeGetNumLinSolvSetups)
      work.jacobianEvaluations = unsafe count(CVodeGetNumJacEvals)
      work.differenceQuotientEvaluations = unsafe count(CVodeGetNumLinRhsEvals)
      work.jacobianVectorProducts = unsafe count(CVodeGetNumJtimesEvals)
      work.linearIterations = unsafe count(CVodeGetNumLinIters)
      work.linearFailures = unsafe count(CVodeGetNumLinConvFails)
    }
    return work
  }

  private func count(
    _ get: (UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?) -> Int32
  ) -> Int {
    var count = 0
    _ = unsafe get(memory.pointer, &count)
    return count
  }
}
