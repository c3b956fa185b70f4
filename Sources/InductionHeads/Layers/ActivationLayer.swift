#if canImport(Glibc)
  import Glibc
#endif

/// A smooth function of one variable that a feed-forward network applies to each of its hidden units.
///
/// The rectifier max(·, 0) is not one: where a unit crosses zero its gradient jumps, and there is no classical flow.
public enum Activation: String, Sendable, CaseIterable {
  /// x Φ(x), with the distribution function Φ of the standard normal law.
  case gelu
  /// tanh x.
  case tanh
  /// log(1 + eˣ).
  case softplus

  /// φ(x), φ′(x) and φ″(x).
  func jet(at x: Double) -> (value: Double, slope: Double, curvature: Double) {
    switch self {
    case .gelu:
      let distribution = 0.5 * erfc(-x * 0.5.squareRoot())
      let density = exp(-0.5 * x * x) * Self.densityAtZero
      return (x * distribution, distribution + x * density, density * (2 - x * x))
    case .tanh:
      let y = Glibc.tanh(x)
      let slope = (1 - y) * (1 + y)
      return (y, slope, -2 * y * slope)
    case .softplus:
      let slope = 1 / (1 + exp(-x))
      // log(1 + eˣ), whose two halves are exact where the other is not.
      let value = max(x, 0) + log1p(exp(-abs(x)))
      return (value, slope, slope / (1 + exp(x)))
    }
  }

  /// 1/√(2π).
  private static let densityAtZero = 1 / (2 * Double.pi).squareRoot()
}

/// y = φ(x), feature by feature.
package final class ActivationLayer: FeatureLayer {
  private let input: FeatureTable
  package var inputs: [FeatureTable] { [input] }
  package let output: FeatureTable
  private let activation: Activation
  /// φ′ and φ″ at the input.
  private let slope, curvature: Buffer

  package init(_ input: FeatureTable, _ activation: Activation) {
    self.input = input
    self.activation = activation
    output = FeatureTable(width: input.width, count: input.count)
    slope = Buffer(output.value.count)
    curvature = Buffer(output.value.count)
  }

  package func forward(_ theta: UnsafePointer<Double>) {
    forEachRow { row in
      for i in row {
        let jet = activation.jet(at: input.value.pointer[i])
        output.value.pointer[i] = jet.value
        slope.pointer[i] = jet.slope
        curvature.pointer[i] = jet.curvature
      }
    }
  }

  package func tangent(_ theta: UnsafePointer<Double>, _ direction: UnsafePointer<Double>) {
    let (x, y, slope) = (input.tangent.pointer, output.tangent.pointer, slope.pointer)
    forEachRow { row in for i in row { y[i] = slope[i] * x[i] } }
  }

  package func pullBack(_ theta: UnsafePointer<Double>, into gradient: UnsafeMutablePointer<Double>)
  {
    let (x, y, slope) = (input.adjoint.pointer, output.adjoint.pointer, slope.pointer)
    forEachRow { row in for i in row { x[i] += slope[i] * y[i] } }
  }

  package func pullBackTangent(
    _ theta: UnsafePointer<Double>, _ direction: UnsafePointer<Double>,
    into product: UnsafeMutablePointer<Double>
  ) {
    let (x, y) = (input.adjointTangent.pointer, output.adjointTangent.pointer)
    let (tangent, adjoint) = (input.tangent.pointer, output.adjoint.pointer)
    let (slope, curvature) = (slope.pointer, curvature.pointer)
    forEachRow { row in
      for i in row { x[i] += slope[i] * y[i] + curvature[i] * tangent[i] * adjoint[i] }
    }
  }

  /// Calls `body` with the places of every row that belong to windows.
  private func forEachRow(_ body: (Range<Int>) -> Void) {
    for row in 0..<output.width {
      let start = row * output.rowLength
      body(start..<start + output.count)
    }
  }
}
