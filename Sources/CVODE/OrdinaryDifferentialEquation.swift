/// An initial value problem's right-hand side: y′ = f(t, y) with y in ℝⁿ.
///
/// The closures get the solver's own memory, lent for the duration of the call. They are called on
/// the thread that calls ``Integrator/step(toward:)`` and nowhere else, once per evaluation; they
/// should not allocate.
///
/// A closure may throw. ``RecoverableFailure`` says "not here, but a smaller step may help", and
/// the solver retries with one; any other error ends the step, which then throws an
/// ``IntegrationError`` that carries it in ``IntegrationError/underlying``.
public struct OrdinaryDifferentialEquation {
  /// Writes f(t, y) into its last argument; both spans have `dimension` components.
  ///
  /// A component that is not finite counts as a recoverable failure.
  public typealias Derivative = (
    _ time: Double, _ state: Span<Double>, _ derivative: inout MutableSpan<Double>
  ) throws -> Void

  /// Writes ∂f/∂y into its last argument: n·n components, column after column.
  ///
  /// Entry n·j + i is ∂fᵢ/∂yⱼ. The matrix is zero on entry.
  public typealias Jacobian = (
    _ time: Double, _ state: Span<Double>, _ jacobian: inout MutableSpan<Double>
  ) throws -> Void

  /// Writes (∂f/∂y) v into its last argument; all spans have `dimension` components.
  public typealias JacobianVectorProduct = (
    _ time: Double, _ state: Span<Double>, _ direction: Span<Double>,
    _ product: inout MutableSpan<Double>
  ) throws -> Void

  /// The number n of components, at least 1.
  public let dimension: Int

  /// f.
  public var derivative: Derivative

  /// ∂f/∂y for ``LinearSolver/dense``; without it the solver takes n difference quotients.
  public var jacobian: Jacobian?

  /// (∂f/∂y) v for the Krylov solvers; without it the solver takes a difference quotient.
  public var jacobianVectorProduct: JacobianVectorProduct?

  /// Describes y′ = f(t, y).
  ///
  /// - Parameters:
  ///   - dimension: the number n of components, at least 1.
  ///   - jacobian: ∂f/∂y, used by ``LinearSolver/dense`` alone.
  ///   - jacobianVectorProduct: (∂f/∂y) v, used by the Krylov solvers alone.
  ///   - derivative: f.
  public init(
    dimension: Int, jacobian: Jacobian? = nil,
    jacobianVectorProduct: JacobianVectorProduct? = nil, derivative: @escaping Derivative
  ) {
    precondition(dimension >= 1, "an equation has at least one component")
    self.dimension = dimension
    self.derivative = derivative
    self.jacobian = jacobian
    self.jacobianVectorProduct = jacobianVectorProduct
  }
}

/// Thrown by a closure of an equation where it has no value, but may have one a smaller step away.
///
/// The solver answers by shrinking its step, a bounded number of times.
public struct RecoverableFailure: Error, CustomStringConvertible {
  /// Why there is no value.
  public let description: String

  /// A failure a smaller step may avoid.
  ///
  /// - Parameter description: why there is no value; part of the error if the solver gives up.
  public init(_ description: String = "no value here") {
    self.description = description
  }
}
