/// What an integration cost: every count CVODE keeps for the solvers offered here.
///
/// The counts of a linear solver are zero for ``IntegratorOptions/Corrector/fixedPoint(accelerationDepth:)``.
public struct Statistics: Sendable, Hashable {
  /// Accepted internal steps.
  public var steps = 0
  /// Evaluations of f by the integrator and the corrector, without difference quotients.
  public var derivativeEvaluations = 0
  /// Attempts of a step that the error test refused.
  public var errorTestFailures = 0
  /// Corrector iterations.
  public var correctorIterations = 0
  /// Corrector iterations that did not converge.
  public var correctorFailures = 0
  /// Attempts of a step that were repeated because the corrector failed.
  public var correctorStepFailures = 0
  /// Order reductions by stability limit detection.
  public var stabilityLimitOrderReductions = 0
  /// Evaluations of the event functions.
  public var eventEvaluations = 0
  /// Setups of the linear solver: factorisations, for the dense one.
  public var linearSolverSetups = 0
  /// Evaluations of ∂f/∂y, exact or by difference quotients.
  public var jacobianEvaluations = 0
  /// Evaluations of f for difference quotients.
  public var differenceQuotientEvaluations = 0
  /// Evaluations of (∂f/∂y) v, exact or by a difference quotient.
  public var jacobianVectorProducts = 0
  /// Krylov iterations.
  public var linearIterations = 0
  /// Krylov solves that did not converge.
  public var linearFailures = 0
  /// Evaluations of f, ∂f/∂y or (∂f/∂y) v that were not finite; each made the solver try again.
  public var nonFiniteEvaluations = 0
  /// Closures that threw ``RecoverableFailure``; each made the solver try again.
  public var recoverableFailures = 0

  /// No work.
  public init() {}

  /// The work of both.
  public static func + (left: Statistics, right: Statistics) -> Statistics {
    var sum = left
    sum += right
    return sum
  }

  /// Adds the work of the right-hand side.
  public static func += (left: inout Statistics, right: Statistics) {
    for count in counts { left[keyPath: count] += right[keyPath: count] }
  }

  /// All of them.
  // Key paths are not Sendable by themselves; an array made on demand needs no global.
  package static var counts: [WritableKeyPath<Statistics, Int>] {
    [
      \.steps, \.derivativeEvaluations, \.errorTestFailures, \.correctorIterations,
      \.correctorFailures, \.correctorStepFailures, \.stabilityLimitOrderReductions,
      \.eventEvaluations, \.linearSolverSetups, \.jacobianEvaluations,
      \.differenceQuotientEvaluations, \.jacobianVectorProducts, \.linearIterations,
      \.linearFailures, \.nonFiniteEvaluations, \.recoverableFailures,
    ]
  }
}
