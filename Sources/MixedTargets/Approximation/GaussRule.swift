import LinearAlgebra

/// The Gauss rule of a measure: ∫ f dμ = Σ_a w_a f(u_a), exact for polynomials of degree below 2n.
public struct GaussRule: Sendable, Equatable {
  /// The measure.
  public let measure: SimilarityMeasure
  /// u_a, ascending.
  public let nodes: [Double]
  /// w_a > 0; their sum is 1.
  public let weights: [Double]

  /// The rule with n nodes.
  ///
  /// Nodes are the eigenvalues of the Jacobi matrix (Golub, Welsch, *Mathematics of Computation* 23,
  /// 1969), weights the Christoffel numbers 1/Σ_{m<n} P_m(u_a)², which are positive and keep
  /// their relative accuracy where they are tiny.
  ///
  /// - Parameters:
  ///   - measure: μ.
  ///   - count: n ≥ 1, at most 200 for the normal measure, whose polynomials overflow beyond.
  ///
  /// Nil if the eigenvalues could not be computed.
  public init?(_ measure: SimilarityMeasure, count: Int) {
    precondition(count >= 1 && (measure == .uniform || count <= 200), "too many nodes")
    guard
      let nodes = symmetricEigenvalues(of: measure.jacobiMatrix(order: count), order: count)
    else { return nil }
    self.measure = measure
    self.nodes = nodes
    weights = nodes.map { node in
      1 / measure.polynomials(at: node, count: count).reduce(0) { $0 + $1 * $1 }
    }
  }
}
