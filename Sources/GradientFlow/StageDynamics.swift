import CVODE
import LinearAlgebra
import Objectives

/// The flow of one stage: θ′ = −∇L on the trained parameters, all others held.
///
/// The integrator's state holds the trained parameters alone, so the others cannot move.
final class StageDynamics {
  let objective: any Objective
  let evaluator: any ObjectiveEvaluator
  /// Positions of the trained parameters in θ.
  let trained: [Int]
  /// θ with the trained parameters as last loaded.
  private(set) var parameters: [Double]
  /// ∂L/∂θ of the trained parameters, as last evaluated.
  private(set) var gradient: [Double]
  private var product: [Double]
  private var direction: [Double]

  init(objective: any Objective, evaluator: any ObjectiveEvaluator, stage: Stage, at: [Double]) {
    self.objective = objective
    self.evaluator = evaluator
    trained = objective.layout.indices(ofGroups: stage.trainedGroups)
    parameters = at
    gradient = [Double](repeating: 0, count: trained.count)
    product = [Double](repeating: 0, count: at.count)
    direction = product
  }

  /// Puts a state of the integrator into θ.
  func load(_ state: Span<Double>) {
    for (i, index) in trained.enumerated() { parameters[index] = state[i] }
  }

  /// L at the loaded parameters; its derivatives are left in `gradient`.
  func evaluate() -> Double {
    let parameters = parameters
    var buffer = taken(&gradient)
    var span = buffer.mutableSpan
    let loss = evaluator.gradient(at: parameters.span, among: trained, into: &span)
    gradient = buffer
    return loss
  }

  /// ‖∇L‖² over the trained parameters, as last evaluated.
  var squaredGradientNorm: Double { gradient.reduce(0) { $0 + $1 * $1 } }

  /// λ_max of the Hessian over the trained parameters, at the loaded parameters.
  func sharpness() -> Double {
    let matrix = trainedHessian()
    return symmetricEigenvalues(of: matrix, order: trained.count)?.last ?? .nan
  }

  /// The right-hand side −∇L with Jacobian −∇²L.
  var equation: OrdinaryDifferentialEquation {
    OrdinaryDifferentialEquation(
      dimension: trained.count,
      jacobian: { [unowned self] _, state, jacobian in
        load(state)
        let matrix = trainedHessian()
        for i in matrix.indices { jacobian[i] = -matrix[i] }
      },
      jacobianVectorProduct: { [unowned self] _, state, vector, result in
        load(state)
        for (i, index) in trained.enumerated() { direction[index] = vector[i] }
        multiplyHessian()
        for (i, index) in trained.enumerated() { result[i] = -product[index] }
      },
      derivative: { [unowned self] _, state, derivative in
        load(state)
        let loss = evaluate()
        // The gradient can be finite where the loss is not; neither is a place to be.
        guard loss.isFinite else { throw RecoverableFailure("the loss is \(loss)") }
        for i in gradient.indices { derivative[i] = -gradient[i] }
      })
  }

  /// Writes ∇²L·v into `product`, with v in `direction`.
  private func multiplyHessian() {
    let (parameters, direction) = (parameters, direction)
    var buffer = taken(&product)
    var span = buffer.mutableSpan
    evaluator.hessianVectorProduct(at: parameters.span, direction: direction.span, into: &span)
    product = buffer
  }

  /// The rows and columns of ∇²L that belong to trained parameters.
  private func trainedHessian() -> [Double] {
    evaluator.hessian(at: parameters, among: trained)
  }

  /// The values of a sample at the loaded parameters, in the order of the trajectory's columns.
  func sample(sharpness: Bool) -> [Double] {
    let (loss, gradient) = evaluator.lossAndGradient(at: parameters)
    var observables = [Double](repeating: 0, count: objective.observableNames.count)
    let parameters = parameters
    var span = observables.mutableSpan
    objective.observe(parameters.span, into: &span)
    func norm(_ positions: some Sequence<Int>) -> Double {
      positions.reduce(0) { $0 + gradient[$1] * gradient[$1] }.squareRoot()
    }
    return [loss, norm(trained)] + parameters + observables
      + objective.layout.groups.map { norm($0.range) } + (sharpness ? [self.sharpness()] : [])
  }
}

/// The array, moved out of its place so that it can be written without being copied.
private func taken(_ array: inout [Double]) -> [Double] {
  var moved: [Double] = []
  swap(&array, &moved)
  return moved
}
