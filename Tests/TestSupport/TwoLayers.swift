import Foundation
package import Objectives

/// The deep linear network with two scalar layers, L = ½ (u v − 1)².
///
/// u² − v² is conserved while both are trained. From u = v the product p = u v follows
/// ṗ = 2p(1 − p), a logistic. On request the gradient or the conserved quantity is wrong.
package struct TwoLayers: Objective {
  private let isGradientWrong: Bool
  private let isLawWrong: Bool

  package init(isGradientWrong: Bool = false, isLawWrong: Bool = false) {
    self.isGradientWrong = isGradientWrong
    self.isLawWrong = isLawWrong
  }

  package var layout: ParameterLayout { ParameterLayout([("u", ["u"]), ("v", ["v"])]) }
  package var observableNames: [String] { ["product"] }
  package var conservationLaws: [ConservationLaw] {
    let factor = isLawWrong ? 2.0 : 1.0
    return [
      ConservationLaw(name: "u²−v² conserved", explanation: "") { now, start in
        abs(
          now[0] * now[0] - start[0] * start[0] - factor * (now[1] * now[1] - start[1] * start[1]))
      }
    ]
  }
  package var phaseEvents: [PhaseEvent] {
    [PhaseEvent(name: "half way", groups: ["u", "v"]) { $0[0] * $0[1] - 0.5 }]
  }
  package var lossDropEvents: [LossDropEvent] {
    [LossDropEvent(name: "learned", groups: ["u"], fraction: 0.01)]
  }
  package func observe(_ parameters: Span<Double>, into values: inout MutableSpan<Double>) {
    values[0] = parameters[0] * parameters[1]
  }
  package func makeEvaluator(threads: Int) -> any ObjectiveEvaluator {
    Evaluator(factor: isGradientWrong ? 1.001 : 1)
  }

  private final class Evaluator: ObjectiveEvaluator {
    /// By how much ∂L/∂u is wrong.
    let factor: Double
    init(factor: Double) { self.factor = factor }
    func loss(at x: Span<Double>) -> Double {
      let gap = x[0] * x[1] - 1
      return gap * gap / 2
    }
    func gradient(at x: Span<Double>, into gradient: inout MutableSpan<Double>) -> Double {
      let gap = x[0] * x[1] - 1
      gradient[0] = factor * gap * x[1]
      gradient[1] = gap * x[0]
      return gap * gap / 2
    }
    func hessianVectorProduct(
      at x: Span<Double>, direction: Span<Double>, into product: inout MutableSpan<Double>
    ) {
      let cross = 2 * x[0] * x[1] - 1
      product[0] = x[1] * x[1] * direction[0] + cross * direction[1]
      product[1] = cross * direction[0] + x[0] * x[0] * direction[1]
    }
    func hessian(at x: Span<Double>, into hessian: inout MutableSpan<Double>) {
      let cross = 2 * x[0] * x[1] - 1
      hessian[0] = x[1] * x[1]
      hessian[1] = cross
      hessian[2] = cross
      hessian[3] = x[0] * x[0]
    }
  }

  /// p(t) from p(0).
  package static func product(_ t: Double, from p: Double) -> Double {
    1 / (1 + (1 / p - 1) * exp(-2 * t))
  }
  /// When p reaches a level.
  package static func time(to level: Double, from p: Double) -> Double {
    0.5 * log((1 / p - 1) / (1 / level - 1))
  }
}
