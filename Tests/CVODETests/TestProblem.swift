import CVODE
import Foundation

/// An initial value problem with a known solution.
struct TestProblem: Sendable, CustomStringConvertible {
  let description: String
  let initial: [Double]
  let end: Double
  let matrix: [Double]?
  let derivative: @Sendable (Double, Span<Double>, inout MutableSpan<Double>) -> Void
  let exact: @Sendable (Double) -> [Double]

  /// y′ = A y with A given row after row; y(t) = exp(At) y(0).
  static func linear(_ name: String, _ rows: [[Double]], initial: [Double], end: Double) -> Self {
    let n = initial.count
    let a = rows.flatMap { $0 }
    return TestProblem(
      description: name, initial: initial, end: end, matrix: a,
      derivative: { _, y, dy in
        for i in 0..<n {
          var sum = 0.0
          for j in 0..<n { sum += a[n * i + j] * y[j] }
          dy[i] = sum
        }
      },
      exact: { t in
        let e = exponential(a.map { $0 * t }, n)
        return (0..<n).map { i in (0..<n).reduce(0) { $0 + e[n * i + $1] * initial[$1] } }
      })
  }

  /// A symmetric, stiff decay: eigenvalues −1, −10, −100, −1000 in a reflected basis.
  static let stiffDecay: Self = {
    let v = [0.5, -0.5, 0.5, 0.5]  // a unit vector: I − 2vvᵀ is orthogonal and symmetric
    func q(_ i: Int, _ j: Int) -> Double { (i == j ? 1 : 0) - 2 * v[i] * v[j] }
    let rates = [-1.0, -10, -100, -1000]
    let rows = (0..<4).map { i in
      (0..<4).map { j in (0..<4).reduce(0) { $0 + q(i, $1) * rates[$1] * q($1, j) } }
    }
    return linear("stiff decay", rows, initial: [1, 2, -1, 0.5], end: 2)
  }()

  /// Two damped rotations, not symmetric and not stiff.
  static let rotations = linear(
    "rotations", [[-0.1, 2, 0, 0.3], [-2, -0.1, 0.2, 0], [0, 0, -0.3, 5], [0, 0, -5, -0.3]],
    initial: [1, 0, 0.5, 1], end: 4)

  /// A mild symmetric decay, which every corrector can follow.
  static let mildDecay = linear(
    "mild decay", [[-2, 1, 0], [1, -2, 1], [0, 1, -2]], initial: [1, 0, -3], end: 3)

  /// y₁′ = −y₁³/2 beside an oscillator: y₁ = (1 + t)^(−1/2), y₂ = sin t, y₃ = cos t.
  static let decayAndPhase = TestProblem(
    description: "power law and phase", initial: [1, 0, 1], end: 10, matrix: nil,
    derivative: { _, y, dy in
      dy[0] = -0.5 * y[0] * y[0] * y[0]
      dy[1] = y[2]
      dy[2] = -y[1]
    },
    exact: { [1 / (1 + $0).squareRoot(), sin($0), cos($0)] })

  /// The equation, with exact derivatives if asked for and known.
  func equation(exactDerivatives: Bool = false) -> OrdinaryDifferentialEquation {
    let n = initial.count
    var equation = OrdinaryDifferentialEquation(dimension: n, derivative: derivative)
    if exactDerivatives, let a = matrix {
      equation.jacobian = { _, _, jacobian in
        for j in 0..<n { for i in 0..<n { jacobian[n * j + i] = a[n * i + j] } }
      }
      let times = derivative
      equation.jacobianVectorProduct = { t, _, direction, product in
        times(t, direction, &product)
      }
    }
    return equation
  }
}

/// exp(A) for n × n, row after row: Taylor's series of A/2ˢ, squared s times.
func exponential(_ a: [Double], _ n: Int) -> [Double] {
  func times(_ x: [Double], _ y: [Double]) -> [Double] {
    (0..<n * n).map { ij in
      (0..<n).reduce(0) { $0 + x[n * (ij / n) + $1] * y[n * $1 + ij % n] }
    }
  }
  let norm = (0..<n).map { i in (0..<n).reduce(0) { $0 + abs(a[n * i + $1]) } }.max() ?? 0
  let squarings = max(0, Int(norm == 0 ? 0 : log2(norm)) + 3)
  let small = a.map { $0 / exp2(Double(squarings)) }
  var term = (0..<n * n).map { $0 / n == $0 % n ? 1.0 : 0 }
  var sum = term
  for k in 1...20 {
    term = times(term, small).map { $0 / Double(k) }
    for i in sum.indices { sum[i] += term[i] }
  }
  for _ in 0..<squarings { sum = times(sum, sum) }
  return sum
}

/// √(1/n Σ (eᵢ / (relative |yᵢ| + absolute))²): 1 means one tolerance.
func weightedNorm(
  _ error: [Double], scale: [Double], relative: Double, absolute: Double
) -> Double {
  let squares = zip(error, scale).reduce(0) { sum, pair in
    let ratio = pair.0 / (relative * abs(pair.1) + absolute)
    return sum + ratio * ratio
  }
  return (squares / Double(error.count)).squareRoot()
}

extension Integrator {
  /// Steps until `end` is inside the last step, past all events.
  mutating func advance(to end: Double) throws(IntegrationError) {
    while (end - time) * (stepSize < 0 ? -1 : 1) > 0 || reportedTime != time || stepSize == 0 {
      _ = try step(toward: end)
    }
  }

  /// The k-th derivative of the interpolant, as an array.
  func values(at t: Double, derivative k: Int = 0) throws(IntegrationError) -> [Double] {
    var values = [Double](repeating: .nan, count: dimension)
    var span = values.mutableSpan
    try interpolate(at: t, derivative: k, into: &span)
    return values
  }

  /// The state at `reportedTime`, as an array.
  var reportedState: [Double] {
    withState { span in span.indices.map { span[$0] } }
  }
}

/// The state at the end, and what it cost.
func solve(
  _ problem: TestProblem, options: IntegratorOptions, exactDerivatives: Bool = false
) throws -> (state: [Double], statistics: Statistics) {
  var integrator = try Integrator(
    problem.equation(exactDerivatives: exactDerivatives), from: 0, state: problem.initial,
    options: options)
  try integrator.advance(to: problem.end)
  return (try integrator.values(at: problem.end), integrator.statistics)
}
