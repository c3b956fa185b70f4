public import DeclaredKeys

/// How the flow is integrated.
public struct SolverSettings: Sendable, Hashable {
  /// The family of multistep methods.
  public var method: IntegrationMethod
  /// How the implicit equations are solved.
  public var linearSolver: LinearSolver
  /// The Krylov dimension of `spgmr` and `pcg`.
  public var krylovDimension: Int
  /// The relative tolerance.
  public var relativeTolerance: Double
  /// The absolute tolerance.
  public var absoluteTolerance: Double
  /// The number of steps after which a stage gives up.
  public var stepLimit: Int
  /// After so many steps of a stage the solver starts anew.
  public var checkpointSteps: Int
  /// Whether a second solve at a tenth of the tolerances gives event times an error bar.
  public var eventErrors: Bool
}

/// A family of multistep methods.
public enum IntegrationMethod: String, KeyChoice {
  /// Backward differentiation formulas, for stiff flows.
  case bdf
  /// Adams–Moulton formulas, for flows that are not stiff.
  case adams
}

/// How the implicit equations of a step are solved.
public enum LinearSolver: String, KeyChoice {
  /// `dense` up to ``largestDenseCount`` parameters, `spgmr` above.
  case automatic = "auto"
  /// Newton's method with a dense matrix.
  case dense
  /// Newton's method with GMRES.
  case spgmr
  /// Newton's method with conjugate gradients.
  case pcg
  /// Fixed-point iteration, without a matrix.
  case fixedPoint = "fixed-point"

  /// The number of parameters up to which a dense Hessian is not slower than products with it; measured in the
  /// article *The full transformer*.
  public static let largestDenseCount = 100

  /// What it stands for.
  ///
  /// - Parameter parameters: the number of parameters of the model.
  /// - Returns: one of the others.
  public func chosen(parameters: Int) -> LinearSolver {
    self == .automatic ? parameters <= Self.largestDenseCount ? .dense : .spgmr : self
  }
}
