/// A loss L(θ) with exact derivatives, and what is worth watching along its flow θ′ = −∇L(θ).
///
/// An objective is an immutable description that many threads may share. The numbers come from an
/// ``ObjectiveEvaluator``, which owns the buffers of one integration.
public protocol Objective: Sendable {
  /// Names and groups of the parameters.
  var layout: ParameterLayout { get }

  /// Names of the quantities that ``observe(_:into:)`` computes, in order.
  var observableNames: [String] { get }

  /// What the exact flow never changes.
  var conservationLaws: [ConservationLaw] { get }

  /// Phase transitions that can be located along the flow.
  var phaseEvents: [PhaseEvent] { get }

  /// Phase transitions that are defined by how far the loss has fallen within a stage.
  var lossDropEvents: [LossDropEvent] { get }

  /// Buffers and kernels for repeated evaluation.
  ///
  /// - Parameter threads: threads that one evaluation may use, ≥ 1. The results do not depend on it.
  /// - Returns: an evaluator for one thread at a time.
  func makeEvaluator(threads: Int) -> any ObjectiveEvaluator

  /// Computes the observables at θ.
  ///
  /// - Parameters:
  ///   - parameters: θ, `layout.count` values.
  ///   - values: one per observable name.
  func observe(_ parameters: Span<Double>, into values: inout MutableSpan<Double>)
}

/// Evaluates an objective and its derivatives at any θ, reusing its buffers.
///
/// One evaluator is used by one thread at a time. A loss that is not finite is returned as it is;
/// what it means is for the caller to decide.
public protocol ObjectiveEvaluator: AnyObject {
  /// The loss L(θ).
  func loss(at parameters: Span<Double>) -> Double

  /// Writes ∇L(θ) and returns L(θ).
  func gradient(at parameters: Span<Double>, into gradient: inout MutableSpan<Double>) -> Double

  /// Writes the components of ∇L(θ) that belong to some parameters and returns L(θ).
  ///
  /// - Parameters:
  ///   - parameters: θ.
  ///   - positions: m positions in θ, ascending.
  ///   - gradient: receives m values.
  /// - Returns: L(θ).
  func gradient(
    at parameters: Span<Double>, among positions: [Int], into gradient: inout MutableSpan<Double>
  ) -> Double

  /// Writes ∇²L(θ)·v.
  func hessianVectorProduct(
    at parameters: Span<Double>, direction: Span<Double>, into product: inout MutableSpan<Double>)

  /// Writes ∇²L(θ), shape (n, n); the matrix is symmetric, so the order of storage does not matter.
  func hessian(at parameters: Span<Double>, into hessian: inout MutableSpan<Double>)

  /// Writes the rows and columns of ∇²L(θ) that belong to some parameters, shape (m, m).
  ///
  /// - Parameters:
  ///   - parameters: θ.
  ///   - positions: m positions in θ, ascending.
  ///   - hessian: receives m × m values.
  func hessian(
    at parameters: Span<Double>, among positions: [Int], into hessian: inout MutableSpan<Double>)
}

extension ObjectiveEvaluator {
  /// Computes the whole gradient and takes out what is wanted.
  public func gradient(
    at parameters: Span<Double>, among positions: [Int], into gradient: inout MutableSpan<Double>
  ) -> Double {
    var whole = [Double](repeating: 0, count: parameters.count)
    var span = whole.mutableSpan
    let loss = self.gradient(at: parameters, into: &span)
    for (i, position) in positions.enumerated() { gradient[i] = whole[position] }
    return loss
  }

  /// Computes the whole matrix and takes out what is wanted.
  public func hessian(
    at parameters: Span<Double>, among positions: [Int], into hessian: inout MutableSpan<Double>
  ) {
    let n = parameters.count
    var whole = [Double](repeating: 0, count: n * n)
    var span = whole.mutableSpan
    self.hessian(at: parameters, into: &span)
    for (i, row) in positions.enumerated() {
      for (j, column) in positions.enumerated() {
        hessian[i * positions.count + j] = whole[row * n + column]
      }
    }
  }

  /// The loss L(θ).
  public func loss(at parameters: [Double]) -> Double { loss(at: parameters.span) }

  /// The loss L(θ) and its gradient ∇L(θ).
  public func lossAndGradient(at parameters: [Double]) -> (loss: Double, gradient: [Double]) {
    var gradient = [Double](repeating: 0, count: parameters.count)
    var span = gradient.mutableSpan
    let loss = self.gradient(at: parameters.span, into: &span)
    return (loss, gradient)
  }

  /// The product ∇²L(θ)·v.
  public func hessianVectorProduct(at parameters: [Double], direction: [Double]) -> [Double] {
    var product = [Double](repeating: 0, count: parameters.count)
    var span = product.mutableSpan
    hessianVectorProduct(at: parameters.span, direction: direction.span, into: &span)
    return product
  }

  /// The Hessian ∇²L(θ), n × n values.
  public func hessian(at parameters: [Double]) -> [Double] {
    var matrix = [Double](repeating: 0, count: parameters.count * parameters.count)
    var span = matrix.mutableSpan
    hessian(at: parameters.span, into: &span)
    return matrix
  }

  /// The rows and columns of ∇²L(θ) at m ascending positions, m × m values.
  public func hessian(at parameters: [Double], among positions: [Int]) -> [Double] {
    var matrix = [Double](repeating: 0, count: positions.count * positions.count)
    var span = matrix.mutableSpan
    hessian(at: parameters.span, among: positions, into: &span)
    return matrix
  }
}

/// Something that the exact flow never changes, and how far a computed one has departed from it.
///
/// A quantity that couples several groups of parameters is conserved while all of them are trained, and of
/// course while none is.
public struct ConservationLaw: Sendable {
  /// What it is called in records, for instance `C_D conserved`.
  public let name: String
  /// What is measured, and in which units.
  public let explanation: String
  /// The groups that have to be trained together; none for a law of every stage.
  public let groups: [String]
  /// How far θ has departed from the law since the start θ₀: 0 along the exact flow, never negative.
  public let departure: @Sendable (_ now: Span<Double>, _ start: Span<Double>) -> Double

  /// Describes a law.
  ///
  /// - Parameters:
  ///   - name: what it is called in records.
  ///   - explanation: what is measured.
  ///   - groups: those that have to be trained together; none for a law of every stage.
  ///   - departure: gets θ and θ₀, `layout.count` values each.
  public init(
    name: String, explanation: String, groups: [String] = [],
    departure: @escaping @Sendable (_ now: Span<Double>, _ start: Span<Double>) -> Double
  ) {
    self.name = name
    self.explanation = explanation
    self.groups = groups
    self.departure = departure
  }
}

/// A phase transition: the moment at which a function of θ rises through zero.
///
/// Functions are of moderate size everywhere (log-ratios rather than tiny shares), because root
/// finding on values near the underflow threshold fails.
public struct PhaseEvent: Sendable {
  /// What it is called in records, for instance `selection.1+2`.
  public let name: String
  /// The parameter groups it depends on; it is watched in the stages that train one of them.
  public let groups: [String]
  /// Rises through zero at the transition.
  public let function: @Sendable (Span<Double>) -> Double

  /// Describes a phase transition.
  public init(
    name: String, groups: [String], function: @escaping @Sendable (Span<Double>) -> Double
  ) {
    self.name = name
    self.groups = groups
    self.function = function
  }
}

/// A phase transition defined by the loss: (L − L_end)/(L_start − L_end) falls to a fraction.
///
/// L_end is the loss at the end of the stage, so the moment is known only afterwards.
public struct LossDropEvent: Sendable {
  /// What it is called in records, for instance `classification`.
  public let name: String
  /// It is located in the stages that train one of these groups.
  public let groups: [String]
  /// The fraction of the stage's drop that is still to come, strictly between 0 and 1.
  public let fraction: Double

  /// Describes a transition by the loss.
  public init(name: String, groups: [String], fraction: Double) {
    precondition(fraction > 0 && fraction < 1, "the fraction lies between 0 and 1")
    self.name = name
    self.groups = groups
    self.fraction = fraction
  }
}
