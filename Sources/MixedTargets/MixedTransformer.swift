public import Objectives

/// The parameters of the mixed-target transformer: p₁; p, v₁; v, W_K, W_Q.
///
/// Layer 1 is one head of relative positions alone, y_s = Σ_{τ<s} softmax(−p₁(s−1−τ)) x_τ. Layer 2 has a positional
/// head, v₁ Σ_s softmax_s(−p(L−1−s)) y_s, and one that compares tokens, v Σ_s softmax_s(x_Lᵀ K y_s) x_s with
/// K = W_Qᵀ W_K; both over s = 2…L−1. Reference: arXiv 2410.11474.
public struct MixedTransformer: Sendable, Hashable {
  /// d, the dimension of a token: W_K and W_Q are d × d, numbers for d = 1.
  public let dimension: Int
  /// Whether W_K and W_Q are one and the same matrix.
  public let isTied: Bool

  /// A transformer for tokens of d dimensions.
  public init(dimension: Int = 1, isTied: Bool = false) {
    precondition(dimension >= 1, "tokens have a dimension")
    self.dimension = dimension
    self.isTied = isTied
  }

  /// The groups `p1`, `p`, `v1`, `v` and `w`; the last is `wk`, `wq`, or the one `w` where they are tied.
  ///
  /// For d > 1 the entries are `wk.1.1`, `wk.1.2`, and so on.
  public var layout: ParameterLayout {
    let matrices = (isTied ? ["w"] : ["wk", "wq"]).flatMap { name in
      dimension == 1
        ? [name]
        : (1...dimension).flatMap { row in (1...dimension).map { "\(name).\(row).\($0)" } }
    }
    return ParameterLayout([
      ("p1", ["p1"]), ("p", ["p"]), ("v1", ["v1"]), ("v", ["v"]), ("w", matrices),
    ])
  }

  /// θ where everything starts at σ: matrices at σ I.
  ///
  /// - Parameters:
  ///   - size: σ.
  ///   - firstRate: p₁, which may be infinite.
  /// - Returns: one value per parameter.
  public func initialParameters(size: Double, firstRate: Double) -> [Double] {
    let matrix = (0..<dimension * dimension).map { $0 % (dimension + 1) == 0 ? size : 0 }
    return [firstRate, size, size, size] + matrix + (isTied ? [] : matrix)
  }

  private var entries: Int { dimension * dimension }

  /// W_K at θ, shape (d, d) by rows.
  public func keyMatrix(_ parameters: Span<Double>) -> [Double] {
    (4..<4 + entries).map { parameters[$0] }
  }

  /// W_Q at θ, shape (d, d) by rows.
  public func queryMatrix(_ parameters: Span<Double>) -> [Double] {
    (isTied ? 4..<4 + entries : 4 + entries..<4 + 2 * entries).map { parameters[$0] }
  }

  /// K = W_Qᵀ W_K at θ, shape (d, d) by rows.
  public func product(_ parameters: Span<Double>) -> [Double] {
    MixedTargets.product(
      transposed(queryMatrix(parameters), dimension), keyMatrix(parameters), dimension)
  }

  /// z at θ.
  func point(_ parameters: Span<Double>) -> MixedPoint {
    MixedPoint(
      firstRate: parameters[0], rate: parameters[1], firstValue: parameters[2],
      value: parameters[3], product: product(parameters))
  }

  /// ∂L/∂θ from ∂L/∂z: ∂W_K = W_Q G and ∂W_Q = W_K Gᵀ with G = ∂L/∂K.
  func gradient(_ derivatives: MixedDerivatives, at parameters: Span<Double>) -> [Double] {
    let slope = Array(derivatives.gradient[MixedPoint.product...])
    let key = MixedTargets.product(queryMatrix(parameters), slope, dimension)
    let query = MixedTargets.product(
      keyMatrix(parameters), transposed(slope, dimension), dimension)
    let matrices = isTied ? zip(key, query).map { $0 + $1 } : key + query
    return derivatives.gradient[..<MixedPoint.product] + matrices
  }

  /// ∂²L/∂θ² from the derivatives by z, shape (n, n): Jᵀ H J, and G where an entry of W_Q meets one of W_K.
  func hessian(_ derivatives: MixedDerivatives, at parameters: Span<Double>) -> [Double] {
    let (d, count) = (dimension, layout.count)
    let columns = derivatives.gradient.count
    let (key, query) = (keyMatrix(parameters), queryMatrix(parameters))
    func place(key i: Int, _ j: Int) -> Int { 4 + i * d + j }
    func place(query i: Int, _ j: Int) -> Int { 4 + (isTied ? 0 : entries) + i * d + j }
    // J, shape (columns, count): K_ij = Σ_l Q_li W_lj.
    var jacobian = [Double](repeating: 0, count: columns * count)
    for i in 0..<MixedPoint.product { jacobian[i * count + i] = 1 }
    for i in 0..<d {
      for j in 0..<d {
        let row = (MixedPoint.product + i * d + j) * count
        for l in 0..<d {
          jacobian[row + place(key: l, j)] += query[l * d + i]
          jacobian[row + place(query: l, i)] += key[l * d + j]
        }
      }
    }
    var moved = [Double](repeating: 0, count: columns * count)
    for i in 0..<columns {
      for l in 0..<columns {
        let factor = derivatives.hessian[i * columns + l]
        for j in 0..<count where factor != 0 {
          moved[i * count + j] += factor * jacobian[l * count + j]
        }
      }
    }
    var hessian = [Double](repeating: 0, count: count * count)
    for l in 0..<columns {
      for i in 0..<count {
        let factor = jacobian[l * count + i]
        for j in 0..<count where factor != 0 {
          hessian[i * count + j] += factor * moved[l * count + j]
        }
      }
    }
    for i in 0..<d {
      for j in 0..<d {
        let slope = derivatives.gradient[MixedPoint.product + i * d + j]
        for l in 0..<d {
          let (row, column) = (place(query: l, i), place(key: l, j))
          hessian[row * count + column] += slope
          hessian[column * count + row] += slope
        }
      }
    }
    return hessian
  }

  /// How far W_K W_Kᵀ − W_Q W_Qᵀ has departed from where it started, the largest entry.
  var conservation: ConservationLaw? {
    if isTied { return nil }
    return ConservationLaw(
      name: "W_K W_K' - W_Q W_Q'",
      explanation: "largest change of an entry, relative to 1 or the largest entry of both products"
    ) { now, start in
      func difference(_ theta: Span<Double>) -> (values: [Double], size: Double) {
        let (key, query) = (self.keyMatrix(theta), self.queryMatrix(theta))
        let own = MixedTargets.product(key, transposed(key, self.dimension), self.dimension)
        let other = MixedTargets.product(query, transposed(query, self.dimension), self.dimension)
        return (zip(own, other).map { $0 - $1 }, (own + other).map(abs).max() ?? 0)
      }
      let (a, b) = (difference(now), difference(start))
      let change = zip(a.values, b.values).map { abs($0 - $1) }.max() ?? 0
      return change / max(1, a.size, b.size)
    }
  }
}
