import Objectives

/// L = ½ Σ λ_i x_i² in two groups: x_i(t) = x_i(0) e^{−λ_i t} while the group is trained.
struct Quadratic: Objective {
  let rates: [Double]

  var layout: ParameterLayout {
    let half = rates.count / 2
    return ParameterLayout([
      ("x", (0..<half).map { "x.\($0)" }), ("y", (half..<rates.count).map { "y.\($0)" }),
    ])
  }
  var observableNames: [String] { ["radius"] }
  var conservationLaws: [ConservationLaw] { [] }
  /// x.0 falls below 1/2: at t = ln(2 x_0(0))/λ_0.
  var phaseEvents: [PhaseEvent] {
    [PhaseEvent(name: "half", groups: ["x"]) { 0.5 - $0[0] }]
  }
  var lossDropEvents: [LossDropEvent] {
    [LossDropEvent(name: "fallen", groups: ["y"], fraction: 0.01)]
  }
  func observe(_ parameters: Span<Double>, into values: inout MutableSpan<Double>) {
    var sum = 0.0
    for i in 0..<parameters.count { sum += parameters[i] * parameters[i] }
    values[0] = sum.squareRoot()
  }
  func makeEvaluator(threads: Int) -> any ObjectiveEvaluator { Evaluator(rates: rates) }

  final class Evaluator: ObjectiveEvaluator {
    let rates: [Double]
    init(rates: [Double]) { self.rates = rates }
    func loss(at x: Span<Double>) -> Double {
      (0..<x.count).reduce(0) { $0 + rates[$1] * x[$1] * x[$1] / 2 }
    }
    func gradient(at x: Span<Double>, into gradient: inout MutableSpan<Double>) -> Double {
      for i in 0..<x.count { gradient[i] = rates[i] * x[i] }
      return loss(at: x)
    }
    func hessianVectorProduct(
      at x: Span<Double>, direction: Span<Double>, into product: inout MutableSpan<Double>
    ) {
      for i in 0..<x.count { product[i] = rates[i] * direction[i] }
    }
    func hessian(at x: Span<Double>, into hessian: inout MutableSpan<Double>) {
      for i in 0..<x.count {
        for j in 0..<x.count { hessian[i * x.count + j] = i == j ? rates[i] : 0 }
      }
    }
  }
}

/// L = x, down to a wall behind which it is infinite.
struct Walled: Objective {
  let wall: Double
  /// Whether it is the loss that is infinite behind the wall; else it goes on, and what is observed is not a number there.
  var isClosed = true
  var layout: ParameterLayout { ParameterLayout([("x", ["x"])]) }
  var observableNames: [String] { ["height"] }
  var conservationLaws: [ConservationLaw] { [] }
  var phaseEvents: [PhaseEvent] { [] }
  var lossDropEvents: [LossDropEvent] { [] }
  func observe(_ parameters: Span<Double>, into values: inout MutableSpan<Double>) {
    values[0] = parameters[0] < wall ? .nan : 1
  }
  func makeEvaluator(threads: Int) -> any ObjectiveEvaluator {
    Evaluator(wall: isClosed ? wall : -.infinity)
  }

  final class Evaluator: ObjectiveEvaluator {
    let wall: Double
    init(wall: Double) { self.wall = wall }
    func loss(at x: Span<Double>) -> Double { x[0] < wall ? .infinity : x[0] }
    func gradient(at x: Span<Double>, into gradient: inout MutableSpan<Double>) -> Double {
      gradient[0] = 1
      return loss(at: x)
    }
    func hessianVectorProduct(
      at x: Span<Double>, direction: Span<Double>, into product: inout MutableSpan<Double>
    ) { product[0] = 0 }
    func hessian(at x: Span<Double>, into hessian: inout MutableSpan<Double>) { hessian[0] = 0 }
  }
}
