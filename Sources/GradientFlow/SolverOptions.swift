import CVODE

/// How a flow is integrated.
public struct SolverOptions: Sendable, Equatable {
  /// The family of multistep methods.
  public enum Method: String, Sendable, CaseIterable {
    /// Backward differentiation formulas, for stiff flows: the default.
    case bdf
    /// Adams–Moulton formulas.
    case adams
  }

  /// How the implicit equation of a step is solved.
  public enum LinearSolver: Sendable, Equatable {
    /// LU of the exact Hessian, up to a few hundred parameters.
    case dense
    /// GMRES on exact Hessian products.
    case spgmr(krylovDimension: Int)
    /// Conjugate gradients on exact Hessian products, while I + γ∇²L is positive definite.
    case pcg(krylovDimension: Int)
    /// No linear solver: fixed-point iteration, for Adams.
    case fixedPoint
  }

  /// The family of methods.
  public var method: Method
  /// The linear solver.
  public var linearSolver: LinearSolver
  /// Relative tolerance of the local error, in 0..<1.
  public var relativeTolerance: Double
  /// Absolute tolerance of the local error of every parameter, ≥ 0; one of the two is positive.
  public var absoluteTolerance: Double
  /// The most accepted steps of one stage.
  public var stepLimit: Int
  /// After so many accepted steps of a stage the solver starts anew, ≥ 1: there a flow can be resumed.
  ///
  /// Where these boundaries lie changes a trajectory within its tolerances.
  public var checkpointSteps: Int
  /// Whether a second solve at a tenth of the tolerances gives event times their error bars.
  public var eventErrors: Bool
  /// Threads that one evaluation may use; the results do not depend on it.
  public var threads: Int

  /// Options with the defaults of the program.
  public init(
    method: Method = .bdf, linearSolver: LinearSolver = .dense, relativeTolerance: Double = 1e-8,
    absoluteTolerance: Double = 1e-10, stepLimit: Int = 100_000, checkpointSteps: Int = 2000,
    eventErrors: Bool = true, threads: Int = 1
  ) {
    self.method = method
    self.linearSolver = linearSolver
    self.relativeTolerance = relativeTolerance
    self.absoluteTolerance = absoluteTolerance
    self.stepLimit = stepLimit
    self.checkpointSteps = checkpointSteps
    self.eventErrors = eventErrors
    self.threads = threads
  }

  /// The same at a tenth of the tolerances.
  var tightened: SolverOptions {
    var copy = self
    copy.relativeTolerance /= 10
    copy.absoluteTolerance /= 10
    return copy
  }

  var integratorOptions: IntegratorOptions {
    let corrector: IntegratorOptions.Corrector =
      switch linearSolver {
      case .dense: .newton(.dense)
      case .spgmr(let dimension): .newton(.spgmr(krylovDimension: dimension))
      case .pcg(let dimension): .newton(.pcg(krylovDimension: dimension))
      case .fixedPoint: .fixedPoint(accelerationDepth: 3)
      }
    return IntegratorOptions(
      method: method == .bdf ? .bdf : .adams, corrector: corrector,
      relativeTolerance: relativeTolerance, absoluteTolerance: absoluteTolerance)
  }
}
