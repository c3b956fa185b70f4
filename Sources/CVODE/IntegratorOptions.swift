/// How an ``Integrator`` steps: formula, corrector, tolerances and limits.
///
/// The solver keeps the weighted root-mean-square norm of its local error estimate below 1, with
/// weight 1 / (relativeTolerance · |yᵢ| + absoluteTolerance) for component i. Global errors are
/// usually some 10 to 100 times larger than the tolerance.
public struct IntegratorOptions: Sendable, Hashable {
  /// The family of multistep formulas.
  public var method: Method

  /// How the implicit equation of each step is solved.
  public var corrector: Corrector

  /// Relative tolerance, between 0 and 1.
  public var relativeTolerance: Double

  /// Absolute tolerance of every component, not negative.
  ///
  /// Zero is allowed as long as no component becomes zero.
  public var absoluteTolerance: Double

  /// The highest order; `nil` means 5 for BDF and 12 for Adams, which are also the limits.
  public var maximumOrder: Int?

  /// The size of the first step after the start and after each restart; `nil` lets CVODE estimate.
  public var initialStep: Double?

  /// The smallest step; 0 (the default) is no limit.
  public var minimumStep: Double

  /// The largest step; infinity (the default) is no limit.
  public var maximumStep: Double

  /// Corrector iterations per attempt of a step; CVODE's default is 3.
  public var maximumCorrectorIterations: Int

  /// Corrector failures in one step before the step is given up; CVODE's default is 10.
  public var maximumCorrectorFailures: Int

  /// Error test failures in one step before the step is given up; CVODE's default is 7.
  public var maximumErrorTestFailures: Int

  /// Whether BDF reduces its order when it meets its stability limit; off by default.
  ///
  /// It helps where eigenvalues of ∂f/∂y lie near the imaginary axis.
  public var detectsStabilityLimit: Bool

  /// The families of multistep formulas.
  public enum Method: Sendable, Hashable {
    /// Backward differentiation formulas of orders 1 to 5, for stiff equations.
    case bdf
    /// Adams–Moulton formulas of orders 1 to 12, for equations that are not stiff.
    case adams
  }

  /// Ways to solve the implicit equation of a step.
  public enum Corrector: Sendable, Hashable {
    /// Newton's method; it always has a linear solver.
    case newton(LinearSolver)
    /// Fixed-point iteration, for equations that are not stiff; needs no linear solver.
    ///
    /// `accelerationDepth` is the number of earlier iterates Anderson acceleration mixes in, at
    /// least 0 (none).
    case fixedPoint(accelerationDepth: Int)
  }

  /// Options with the defaults of CVODE where nothing is given.
  ///
  /// - Parameters:
  ///   - method: the family of formulas.
  ///   - corrector: how the implicit equation of each step is solved.
  ///   - relativeTolerance: between 0 and 1.
  ///   - absoluteTolerance: of every component, not negative.
  public init(
    method: Method = .bdf, corrector: Corrector = .newton(.dense),
    relativeTolerance: Double = 1e-6, absoluteTolerance: Double = 1e-9
  ) {
    self.method = method
    self.corrector = corrector
    self.relativeTolerance = relativeTolerance
    self.absoluteTolerance = absoluteTolerance
    maximumOrder = nil
    initialStep = nil
    minimumStep = 0
    maximumStep = .infinity
    maximumCorrectorIterations = 3
    maximumCorrectorFailures = 10
    maximumErrorTestFailures = 7
    detectsStabilityLimit = false
  }

  /// Traps, with a sentence, where a value is outside its range.
  func checkRanges() {
    precondition(
      relativeTolerance >= 0 && relativeTolerance < 1,
      "the relative tolerance lies in 0..<1, not \(relativeTolerance)")
    precondition(
      absoluteTolerance >= 0 && absoluteTolerance.isFinite,
      "the absolute tolerance is finite and not negative, not \(absoluteTolerance)")
    precondition(
      relativeTolerance > 0 || absoluteTolerance > 0, "one of the tolerances is positive")
    if let maximumOrder {
      let limit = method == .bdf ? 5 : 12
      precondition(
        (1...limit).contains(maximumOrder), "the order lies in 1...\(limit), not \(maximumOrder)")
    }
    if let initialStep {
      precondition(
        initialStep > 0 && initialStep.isFinite,
        "the initial step is positive and finite, not \(initialStep)")
    }
    precondition(
      minimumStep >= 0 && maximumStep > 0 && minimumStep <= maximumStep,
      "steps lie in 0 ≤ minimum ≤ maximum, not \(minimumStep) and \(maximumStep)")
    let limits = 1...Int(Int32.max)
    precondition(
      limits.contains(maximumCorrectorIterations) && limits.contains(maximumCorrectorFailures)
        && limits.contains(maximumErrorTestFailures), "limits are positive numbers")
    precondition(
      !detectsStabilityLimit || method == .bdf, "stability limit detection belongs to BDF")
    switch corrector {
    case .newton(.dense): break
    case .newton(.spgmr(let size)), .newton(.pcg(let size)):
      precondition(limits.contains(size), "the Krylov dimension is positive, not \(size)")
    case .fixedPoint(let depth):
      precondition((0...1000).contains(depth), "acceleration lies in 0...1000, not \(depth)")
    }
  }
}

/// Solvers for the linear systems (I − γ ∂f/∂y) x = b of Newton's method.
public enum LinearSolver: Sendable, Hashable {
  /// LU decomposition of the n × n matrix.
  ///
  /// It uses ``OrdinaryDifferentialEquation/jacobian``, or n difference quotients without it.
  case dense
  /// Generalised minimal residuals, without preconditioner.
  ///
  /// It uses ``OrdinaryDifferentialEquation/jacobianVectorProduct``, or a difference quotient. A
  /// small `krylovDimension` costs accuracy on stiff equations: CVODE's own default, 5, loses two
  /// digits on Hessian spectra where 30 does not.
  case spgmr(krylovDimension: Int)
  /// Conjugate gradients, without preconditioner, with at most `krylovDimension` iterations.
  ///
  /// For symmetric ∂f/∂y only, and as long as I − γ ∂f/∂y is positive definite: always where no
  /// eigenvalue of ∂f/∂y is positive, elsewhere while γ, which is of the size of the step, is
  /// below the inverse of the largest one. A failure shrinks the step.
  case pcg(krylovDimension: Int)
}
