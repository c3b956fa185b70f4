// A model of one's own: two linear layers, and their exact flow held against a closed form.

// snippet.hide
import Foundation
import GradientFlow
import Objectives

// snippet.show
// snippet.OBJECTIVE
/// Two linear layers of one number each, L = ½ (u v − 1)².
struct TwoLayers: Objective {
  let layout = ParameterLayout([("u", ["u"]), ("v", ["v"])])
  let observableNames = ["product"]

  /// uu′ = vv′, so u² − v² stays what it is while both are trained.
  let conservationLaws = [
    ConservationLaw(
      name: "u²−v²", explanation: "|Δ(u² − v²)|", groups: ["u", "v"]
    ) { now, start in
      abs(now[0] * now[0] - now[1] * now[1] - start[0] * start[0] + start[1] * start[1])
    }
  ]

  /// A moment to locate: the product rises through one half.
  let phaseEvents = [
    PhaseEvent(name: "half way", groups: ["u", "v"]) { $0[0] * $0[1] - 0.5 }
  ]
  let lossDropEvents: [LossDropEvent] = []

  func observe(_ x: Span<Double>, into values: inout MutableSpan<Double>) {
    values[0] = x[0] * x[1]
  }

  func makeEvaluator(threads: Int) -> any ObjectiveEvaluator { Evaluator() }

  /// Owns the buffers of one integration; this model needs none.
  final class Evaluator: ObjectiveEvaluator {
    func loss(at x: Span<Double>) -> Double {
      let gap = x[0] * x[1] - 1
      return gap * gap / 2
    }

    // L′ = (uv − 1)(v, u)
    func gradient(at x: Span<Double>, into gradient: inout MutableSpan<Double>) -> Double {
      let gap = x[0] * x[1] - 1
      gradient[0] = gap * x[1]
      gradient[1] = gap * x[0]
      return gap * gap / 2
    }

    // L″ = ( v²  2uv − 1 ; 2uv − 1  u² )
    func hessian(at x: Span<Double>, into hessian: inout MutableSpan<Double>) {
      let cross = 2 * x[0] * x[1] - 1
      hessian[0] = x[1] * x[1]
      hessian[1] = cross
      hessian[2] = cross
      hessian[3] = x[0] * x[0]
    }

    func hessianVectorProduct(
      at x: Span<Double>, direction v: Span<Double>, into product: inout MutableSpan<Double>
    ) {
      let cross = 2 * x[0] * x[1] - 1
      product[0] = x[1] * x[1] * v[0] + cross * v[1]
      product[1] = cross * v[0] + x[0] * x[0] * v[1]
    }
  }
}

// snippet.end
// snippet.SOLVE
let problem = FlowProblem(
  minimizing: TwoLayers(), from: [0.01, 0.01],
  stages: [Stage(name: "both", training: ["u", "v"], until: 100)])
let trajectory = try FlowSolver().solve(
  problem, sampling: SampleSchedule(first: 0.1, perDecade: 10))

// From u = v the product p follows p′ = 2p(1 − p): half way at ½ ln(1/p₀ − 1).
if let event = trajectory.event("half way") {
  print("half way at", event.time, "±", event.error ?? .nan, "derived", 0.5 * log(1e4 - 1))
}
// snippet.end
