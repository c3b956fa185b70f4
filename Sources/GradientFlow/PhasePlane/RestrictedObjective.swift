import Objectives

/// L over the linear space in which the flow on a plane lives: θ = θ⁰ + Σ_k (q_k − b_k·θ⁰) b_k with orthonormal b_k.
///
/// Its gradient flow is that of L with the other parameters held, or, where all trained ones are free, that of L itself.
struct RestrictedObjective: Objective {
  let plane: PhasePlane
  let directions: [[Double]]
  /// θ with all components along the directions taken out.
  private let origin: [Double]

  init(_ plane: PhasePlane) {
    self.plane = plane
    directions = plane.directions
    var origin = plane.base
    for direction in directions {
      let part = dot(direction, plane.trained.map { plane.base[$0] })
      for (index, position) in plane.trained.enumerated() {
        origin[position] -= part * direction[index]
      }
    }
    self.origin = origin
  }

  static let group = "plane"

  var layout: ParameterLayout {
    ParameterLayout([(Self.group, directions.indices.map { "q.\($0 + 1)" })])
  }
  var observableNames: [String] { ["x", "y"] }
  var conservationLaws: [ConservationLaw] { [] }
  var phaseEvents: [PhaseEvent] { [] }
  var lossDropEvents: [LossDropEvent] { [] }

  /// q at θ.
  func reduced(_ parameters: [Double]) -> [Double] {
    let trained = plane.trained.map { parameters[$0] }
    return directions.map { dot($0, trained) }
  }

  /// θ at q.
  func parameters(_ reduced: Span<Double>) -> [Double] {
    var parameters = origin
    for (k, direction) in directions.enumerated() {
      for (index, position) in plane.trained.enumerated() {
        parameters[position] += reduced[k] * direction[index]
      }
    }
    return parameters
  }

  func observe(_ parameters: Span<Double>, into values: inout MutableSpan<Double>) {
    let (x, y) = plane.coordinates(of: self.parameters(parameters))
    values[0] = x
    values[1] = y
  }

  func makeEvaluator(threads: Int) -> any ObjectiveEvaluator {
    RestrictedEvaluator(self, plane.objective.makeEvaluator(threads: threads))
  }
}

/// Evaluates a restricted loss through that of all parameters.
private final class RestrictedEvaluator: ObjectiveEvaluator {
  private let objective: RestrictedObjective
  private let whole: any ObjectiveEvaluator

  init(_ objective: RestrictedObjective, _ whole: any ObjectiveEvaluator) {
    self.objective = objective
    self.whole = whole
  }

  private var trained: [Int] { objective.plane.trained }

  func loss(at reduced: Span<Double>) -> Double {
    whole.loss(at: objective.parameters(reduced))
  }

  func gradient(at reduced: Span<Double>, into gradient: inout MutableSpan<Double>) -> Double {
    let parameters = objective.parameters(reduced)
    var slope = [Double](repeating: 0, count: trained.count)
    var span = slope.mutableSpan
    let loss = whole.gradient(at: parameters.span, among: trained, into: &span)
    for (k, direction) in objective.directions.enumerated() { gradient[k] = dot(direction, slope) }
    return loss
  }

  func hessianVectorProduct(
    at reduced: Span<Double>, direction: Span<Double>, into product: inout MutableSpan<Double>
  ) {
    let parameters = objective.parameters(reduced)
    var step = [Double](repeating: 0, count: parameters.count)
    for (k, vector) in objective.directions.enumerated() {
      for (index, position) in trained.enumerated() {
        step[position] += direction[k] * vector[index]
      }
    }
    let moved = whole.hessianVectorProduct(at: parameters, direction: step)
    let slope = trained.map { moved[$0] }
    for (k, vector) in objective.directions.enumerated() { product[k] = dot(vector, slope) }
  }

  func hessian(at reduced: Span<Double>, into hessian: inout MutableSpan<Double>) {
    let matrix = whole.hessian(at: objective.parameters(reduced), among: trained)
    let (m, count) = (trained.count, objective.directions.count)
    for (k, direction) in objective.directions.enumerated() {
      let column = (0..<m).map { row in
        (0..<m).reduce(0.0) { $0 + matrix[row * m + $1] * direction[$1] }
      }
      for (l, other) in objective.directions.enumerated() {
        hessian[l * count + k] = dot(other, column)
      }
    }
  }
}
