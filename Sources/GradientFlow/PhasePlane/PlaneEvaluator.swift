import LinearAlgebra
import Objectives

/// The flow at a point of a plane.
public struct PlanePoint: Sendable, Equatable {
  /// The first coordinate.
  public let x: Double
  /// The second coordinate.
  public let y: Double
  /// θ.
  public let parameters: [Double]
  /// x′ along θ′ = −∇L over the trained parameters.
  public let xVelocity: Double
  /// y′.
  public let yVelocity: Double
  /// L.
  public let loss: Double
  /// ‖∇L‖ over the directions in which the flow on the plane lives; with slaved parameters over all trained ones.
  public let gradientNorm: Double
  /// ‖∇L‖ over the trained parameters that are held: 0 where the plane is invariant under the flow.
  public let heldGradientNorm: Double

  /// The velocity along an axis.
  public func velocity(_ axis: PlaneAxisName) -> Double { axis == .x ? xVelocity : yVelocity }
}

/// One of the two axes.
public enum PlaneAxisName: String, Sendable, CaseIterable {
  /// The first.
  case x
  /// The second.
  case y
}

/// Evaluates the flow on a plane, reusing the buffers of one evaluator.
///
/// It is used by one thread at a time.
public final class PlaneEvaluator {
  /// The plane.
  public let plane: PhasePlane
  let directions: [[Double]]
  private let evaluator: any ObjectiveEvaluator

  /// An evaluator.
  ///
  /// - Parameters:
  ///   - plane: the plane.
  ///   - threads: threads that one evaluation may use, ≥ 1; the results do not depend on it.
  public init(_ plane: PhasePlane, threads: Int = 1) {
    self.plane = plane
    directions = plane.directions
    evaluator = plane.objective.makeEvaluator(threads: threads)
    leastCurvature = 0
    let (values, _) =
      spectrum(at: plane.base, along: directions) ?? (values: [], vectors: [])
    leastCurvature = Self.flatShare * (values.map { abs($0) }.max() ?? 0)
  }

  /// Where the largest curvature is below this share of that at θ⁰, L has become flat: its slope is small for that, and
  /// nothing is at rest but at infinity.
  private static let flatShare = 1e-6

  /// The curvature below which L is flat.
  private(set) var leastCurvature: Double

  /// The flow at a point.
  ///
  /// - Parameters:
  ///   - x: the first coordinate.
  ///   - y: the second one.
  ///   - start: where slaved parameters are relaxed from, such as those of a neighbour; nil for θ⁰.
  /// - Returns: nil where nothing has these coordinates, where the loss is not finite, and where slaved parameters
  ///   find no rest.
  public func point(_ x: Double, _ y: Double, from start: [Double]? = nil) -> PlanePoint? {
    let start = plane.others == .slaved ? start : nil
    guard var parameters = plane.parameters(x, y, from: start) else { return nil }
    if plane.others == .slaved {
      guard let relaxed = relaxed(parameters, x, y) else { return nil }
      parameters = relaxed
    }
    let (loss, gradient) = lossAndGradient(at: parameters)
    guard loss.isFinite, gradient.allSatisfy(\.isFinite) else { return nil }
    var derivative = [Double](repeating: 0, count: parameters.count)
    for (index, position) in plane.trained.enumerated() { derivative[position] = -gradient[index] }
    let along = directions.map { dot($0, gradient) }
    return PlanePoint(
      x: x, y: y, parameters: parameters,
      xVelocity: plane.x.coordinate.velocity(at: parameters, moving: derivative),
      yVelocity: plane.y.coordinate.velocity(at: parameters, moving: derivative), loss: loss,
      gradientNorm: norm(along), heldGradientNorm: heldNorm(gradient, along))
  }

  /// The norm of what is left of a gradient without its parts along the plane's directions.
  private func heldNorm(_ gradient: [Double], _ along: [Double]) -> Double {
    if plane.others == .slaved { return 0 }
    var rest = gradient
    for (part, direction) in zip(along, directions) {
      for i in rest.indices { rest[i] -= part * direction[i] }
    }
    return norm(rest)
  }

  // MARK: - Derivatives

  /// L and ∂L/∂θ over the trained parameters.
  func lossAndGradient(at parameters: [Double]) -> (loss: Double, gradient: [Double]) {
    var gradient = [Double](repeating: 0, count: plane.trained.count)
    var span = gradient.mutableSpan
    let loss = evaluator.gradient(at: parameters.span, among: plane.trained, into: &span)
    return (loss, gradient)
  }

  /// The derivatives of L along orthonormal directions.
  func gradient(at parameters: [Double], along directions: [[Double]]) -> [Double] {
    let gradient = lossAndGradient(at: parameters).gradient
    return directions.map { dot($0, gradient) }
  }

  /// Eigenvalues, ascending, and eigenvectors of ∇²L restricted to orthonormal directions; nil where a value is not finite.
  ///
  /// - Parameters:
  ///   - parameters: θ.
  ///   - directions: k orthonormal vectors.
  ///   - diagonal: added to the Hessian's diagonal over the trained parameters, if given.
  /// - Returns: k eigenvalues, and as many eigenvectors with one component per trained parameter.
  func spectrum(
    at parameters: [Double], along directions: [[Double]], adding diagonal: [Double]? = nil
  ) -> (values: [Double], vectors: [[Double]])? {
    let m = plane.trained.count
    let k = directions.count
    if k == 0 { return ([], []) }
    var hessian = evaluator.hessian(at: parameters, among: plane.trained)
    for (i, value) in (diagonal ?? []).enumerated() { hessian[i * m + i] += value }
    let moved = directions.map { direction in
      (0..<m).map { row in
        (0..<m).reduce(0.0) { $0 + hessian[row * m + $1] * direction[$1] }
      }
    }
    let restricted = directions.flatMap { direction in moved.map { dot(direction, $0) } }
    guard let (values, vectors) = symmetricEigenvectors(of: restricted, order: k) else {
      return nil
    }
    return (
      values,
      (0..<k).map { row in
        var vector = [Double](repeating: 0, count: m)
        for (index, direction) in directions.enumerated() {
          for i in 0..<m { vector[i] += vectors[row * k + index] * direction[i] }
        }
        return vector
      }
    )
  }

  /// θ moved by a vector over the trained parameters.
  func moved(_ parameters: [Double], by step: [Double], _ factor: Double) -> [Double] {
    var result = parameters
    for (index, position) in plane.trained.enumerated() { result[position] += factor * step[index] }
    return result
  }

  func norm(_ vector: [Double]) -> Double { dot(vector, vector).squareRoot() }
}
