#if canImport(Glibc)
  import Glibc
#endif

/// The 4-gram part L_G4 = ½ E(a x_{L−2} − v₁ Σ_s softmax_s(−p(L−1−s)) y_s)², exact for every L and p₁.
///
/// With B_n the coefficient of x_{L−2−n} in the head's mean, L_G4 = ½[(a − v₁B₀)² + v₁² Σ_{n≥1} B_n²], a sum of
/// squares in which nothing cancels. B₀ and the sum T are in closed form for infinite L and for p₁ = ∞, and
/// come from one recursion over the positions otherwise; derivatives ride along. Derived in *The mixed target and its laws*.
struct FourGramLoss: Sendable {
  /// a.
  let share: Double
  /// L; nil for infinite length.
  let length: Int?
  /// d: independent components with the same loss.
  let dimension: Int

  init(_ target: MixedTarget) {
    share = target.fourGramShare
    length = target.length
    dimension = target.dimension
  }

  /// Adds L_G4 and its derivatives by p₁, p and v₁.
  func add(to result: inout MixedDerivatives, at z: MixedPoint, order: Int) {
    let (b, t) = attention(z.firstRate, z.rate, order: order)
    let v = z.firstValue
    let gap = share - v * b.value
    let d = Double(dimension)
    result.parts.fourGram += d * (gap * gap + v * v * t.value) / 2
    if order < 1 { return }
    let positions = [MixedPoint.firstRate, MixedPoint.rate]
    result.gradient[MixedPoint.firstValue] += d * (v * t.value - gap * b.value)
    for (i, position) in positions.enumerated() {
      result.gradient[position] += d * (v * v * t.first[i] / 2 - gap * v * b.first[i])
    }
    if order < 2 { return }
    result.add(d * (t.value + b.value * b.value), MixedPoint.firstValue, MixedPoint.firstValue)
    for (i, position) in positions.enumerated() {
      result.add(
        d * (v * t.first[i] - gap * b.first[i] + v * b.value * b.first[i]), MixedPoint.firstValue,
        position)
      for j in i...1 {
        result.add(
          d
            * (v * v * t.second[i + j] / 2 + v * v * b.first[i] * b.first[j]
              - gap * v * b.second[i + j]),
          position, positions[j])
      }
    }
  }

  /// B₀ and T = Σ_{n≥1} B_n² by (p₁, p).
  private func attention(_ p1: Double, _ p: Double, order: Int) -> (b: Jet, t: Jet) {
    let (q1, r1) = Jet.decay(p1, times: 1, [1, 0])
    let (q, r) = Jet.decay(p, times: 1, [0, 1])
    guard let length else { return unlimited(q1, r1, q, r) }
    let terms = length - 2
    if p1 == .infinity { return copying(q, p, terms) }
    return recursion(q1, q, terms)
  }

  /// L = ∞: B_n is a convolution of two geometric laws.
  ///
  /// T/B₀ = [(q₁+q₂)² − q₁²q₂² − q₁q₂(q₁²+q₂²) + q₁³q₂³]/((1+q₁)(1+q₂)(1−q₁q₂)).
  private func unlimited(_ q1: Jet, _ r1: Jet, _ q2: Jet, _ r2: Jet) -> (Jet, Jet) {
    let b = r1 * r2
    let product = q1 * q2
    let squares = q1 * q1 + q2 * q2
    let top =
      squares + 2 * product - product * product - product * squares + product * product * product
    // 1 − q₁q₂ without cancellation.
    let rest = r1 + q1 * r2
    return (b, b * top / ((1 + q1) * (1 + q2) * rest))
  }

  /// p₁ = ∞: B_n = qⁿ/G(N) with G(M) = Σ_{i<M} qⁱ, and T = q² G(2(N − 1))/(G(N)² (1 + q)).
  private func copying(_ q: Jet, _ p: Double, _ terms: Int) -> (Jet, Jet) {
    let b = geometricSum(p, terms).inverse
    return (b, b * b * q * q * geometricSum(p, 2 * (terms - 1)) / (1 + q))
  }

  /// Σ_{i<M} e^{−pi} = (1 − e^{−Mp})/(1 − e^{−p}) by (p₁, p).
  ///
  /// Its logarithm has the slope Mφ(Mp) − φ(p) − (M − 1)/2 with φ(x) = 1/(eˣ − 1) − 1/x + ½, where nothing
  /// cancels, however small p is.
  private func geometricSum(_ p: Double, _ count: Int) -> Jet {
    let m = Double(count)
    let value = p == 0 ? m : expm1(-m * p) / expm1(-p)
    let (near, far) = (remainder(p), remainder(m * p))
    let slope = m * far.value - near.value - (m - 1) / 2
    let bend = m * m * far.slope - near.slope
    return Jet(
      value, [0, value * slope], [0, 0, value * (slope * slope + bend)])
  }

  /// φ(x) = 1/(eˣ − 1) − 1/x + ½ and φ′(x).
  private func remainder(_ x: Double) -> (value: Double, slope: Double) {
    guard abs(x) < 1 else {
      let power = expm1(x)
      if power == .infinity { return (0.5 - 1 / x, 1 / (x * x)) }
      return (1 / power - 1 / x + 0.5, 1 / (x * x) - (1 + power) / (power * power))
    }
    // Bernoulli numbers over factorials: B_{2j}/(2j)!.
    let coefficients: [Double] = [
      1.0 / 12, -1.0 / 720, 1.0 / 30240, -1.0 / 1_209_600, 1.0 / 47_900_160,
      -691.0 / 1_307_674_368_000, 1.0 / 74_724_249_600, -3617.0 / 10_670_622_842_880_000,
      43867.0 / 5_109_094_217_170_944_000,
    ]
    var (value, slope, power) = (0.0, 0.0, 1.0)
    for (j, coefficient) in coefficients.enumerated() {
      slope += Double(2 * j + 1) * coefficient * power
      value += coefficient * power * x
      power *= x * x
    }
    return (value, slope)
  }

  /// Any p₁: B_n = q₁ B_{n−1} + qⁿ/(Z₂ Z₁(N − n)), Z₁(j) = Σ_{i<j} q₁ⁱ.
  private func recursion(_ q1: Jet, _ q: Jet, _ terms: Int) -> (Jet, Jet) {
    var norms = [Jet(1)]
    norms.reserveCapacity(terms)
    var power = Jet(1)
    var total = Jet(1)
    for _ in 1..<terms {
      norms.append(1 + q1 * norms[norms.count - 1])
      power = power * q
      total = total + power
    }
    power = total.inverse
    var b = power / norms[terms - 1]
    let first = b
    var squares = Jet(0)
    for n in 1..<terms {
      power = power * q
      b = q1 * b + power / norms[terms - 1 - n]
      squares = squares + b * b
    }
    return (first, squares)
  }
}
