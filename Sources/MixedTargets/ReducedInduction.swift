#if canImport(Glibc)
  import Glibc
#endif

/// The in-context part to leading order in 1/N, for tokens of d dimensions.
///
/// N L_IH = ½[v² F₂ − 2cv F₁ + c² F*], with F₂ = d det(I − 2s KKᵀ)^{−1/2},
/// F₁ = d det(I − r(K K*ᵀ + K*Kᵀ))^{−1/2}, K* = m I, s = tanh(p₁/2) and r = 1 − e^{−p₁}; for p₁ = ∞ and d = 1 these are
/// (1 − 2k²)^{−1/2} and (1 − 2km)^{−1/2}. Derived in *The mixed target and its laws*.
struct ReducedInduction: Sendable {
  let target: MixedTarget

  /// Adds L_IH with its derivatives by p₁, v and K.
  func add(to result: inout MixedDerivatives, at z: MixedPoint, order: Int) {
    let n = target.terms
    guard n.isFinite else { return }
    let (c, v, d) = (target.inductionShare, z.value, target.dimension)
    let size = d * d
    let rate = FirstLayer(z.firstRate)
    let goal = (0..<size).map { $0 % (d + 1) == 0 ? target.product : 0 }
    let own = DeterminantPower.square(z.product, d, rate.square)
    let shared = DeterminantPower.shared(z.product, goal, d, rate.copy)
    let whole = DeterminantPower.square(goal, d, 1).value
    result.parts.induction += value(z, rate, own.value, shared.value, whole) / n
    if order < 1 { return }

    let (p1, pv, pk) = (MixedPoint.firstRate, MixedPoint.value, MixedPoint.product)
    let (f2, f1) = (v * v / 2, -c * v)
    result.gradient[pv] += (v * own.value - c * shared.value) / n
    let g2 = own.slope * rate.squareSlope
    let g1 = shared.slope * rate.copySlope
    result.gradient[p1] += (f2 * g2 + f1 * g1) / n
    for i in 0..<size {
      result.gradient[pk + i] += (f2 * own.gradient[i] + f1 * shared.gradient[i]) / n
    }
    if order < 2 { return }

    result.add(own.value / n, pv, pv)
    result.add((v * g2 - c * g1) / n, pv, p1)
    let curvature2 =
      own.curvature * rate.squareSlope * rate.squareSlope + own.slope * rate.squareCurvature
    let curvature1 =
      shared.curvature * rate.copySlope * rate.copySlope + shared.slope * rate.copyCurvature
    result.add((f2 * curvature2 + f1 * curvature1) / n, p1, p1)
    for i in 0..<size {
      result.add((v * own.gradient[i] - c * shared.gradient[i]) / n, pv, pk + i)
      result.add(
        (f2 * own.mixed[i] * rate.squareSlope + f1 * shared.mixed[i] * rate.copySlope) / n, p1,
        pk + i)
      for j in i..<size {
        result.add(
          (f2 * own.hessian[i * size + j] + f1 * shared.hessian[i * size + j]) / n, pk + i, pk + j)
      }
    }
  }

  /// ½[v²F₂ − 2cvF₁ + c²F*].
  ///
  /// Where the flow converges the three cancel. For one dimension and p₁ = ∞ it is
  /// ½F₂ (v − cF₁/F₂)² + ½c²F* [1 − √(1 − x)], x = 2(k − m)²/(1 − 2km)², in which nothing does.
  private func value(
    _ z: MixedPoint, _ rate: FirstLayer, _ own: Double, _ shared: Double, _ whole: Double
  ) -> Double {
    let (c, v) = (target.inductionShare, z.value)
    guard target.dimension == 1, rate.square == 1 else {
      return (v * v * own - 2 * c * v * shared + c * c * whole) / 2
    }
    let (k, m) = (z.product[0], target.product)
    let gap = v - c * shared / own
    let x = (k - m) / (1 - 2 * k * m)
    return (own * gap * gap - c * c * whole * expm1(log1p(-2 * x * x) / 2)) / 2
  }

  /// L_IH at K = 0, v = c: c²d[det(I − 2m²I)^{−1/2} − 1]/2N.
  var plateau: Double {
    guard target.terms.isFinite else { return 0 }
    let (c, d) = (target.inductionShare, Double(target.dimension))
    let m = target.product
    return c * c * d * expm1(-d / 2 * log1p(-2 * m * m)) / 2 / target.terms
  }
}

/// s = tanh(p₁/2), the variance of y, and r = 1 − e^{−p₁}, its weight on the previous token.
private struct FirstLayer {
  let square, squareSlope, squareCurvature: Double
  let copy, copySlope, copyCurvature: Double

  init(_ p1: Double) {
    square = tanh(p1 / 2)
    squareSlope = (1 - square * square) / 2
    squareCurvature = -square * squareSlope
    copy = p1 == .infinity ? 1 : -expm1(-p1)
    copySlope = p1 == .infinity ? 0 : exp(-p1)
    copyCurvature = -copySlope
  }
}
