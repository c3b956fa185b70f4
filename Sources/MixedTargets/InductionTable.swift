import CKernels
import ParallelLoops

#if canImport(Glibc)
  import Glibc
#endif

/// The in-context part at finite N with a first layer that copies, p₁ = ∞: L_IH as a function of v and k alone.
///
/// L_IH = ½[(v−c)² P(k) + 2c (v−c)(k−m) G(k) + c² (k−m)² F(k)], with P = E o_k², G = E o_k (o_k − o_m)/(k−m) and
/// F = E ((o_k − o_m)/(k−m))², so that nothing cancels where the flow converges. The three are means over one large
/// sample at Chebyshev's points, and polynomials between them.
///
/// With the normaliser of the softmax replaced by its mean, o becomes ô_k = (1/N) Σ e^{k u x_{s−1} − k²u²/2} x_s, u = x_L,
/// and E[ô_k ô_m | u] = e^{kmu²}/N exactly. Products of ô where |u| < U, so that the normaliser is nearly its mean, are
/// taken from the products of o, and their exact means are added: what is left varies much less. Derived in
/// *The mixed target and its laws*.
public struct InductionTable: Sendable {
  /// The target.
  public let target: MixedTarget
  /// S, over how many sequences the means run.
  public let count: Int
  let power, slope, square: Chebyshev
  /// The same of parts of the sample, to see what the sampling leaves open; empty for a part itself.
  let parts: [InductionTable]

  /// The fewest and the most points at which means are taken.
  static let fewestPoints = 28
  static let mostPoints = 224
  /// Parts that the sampling error comes from.
  public static let mostParts = 16

  /// The largest k that a table covers: 1.1 m, and as much below zero as a tenth of m.
  public static func range(of target: MixedTarget) -> ClosedRange<Double> {
    -0.1 * target.product...1.1 * target.product
  }

  /// Draws a sample and takes its means; the sequences are not kept.
  ///
  /// - Parameters:
  ///   - target: of one dimension and finite length.
  ///   - count: S.
  ///   - seed: that of the sequences.
  ///   - threads: threads to use; the result does not depend on it.
  public init(_ target: MixedTarget, count: Int, seed: UInt64, threads: Int) {
    self.init(target, count: count, seed: seed, threads: threads, isControlled: true)
  }

  /// The same, with the plain means of the sample if `isControlled` is false.
  package init(
    _ target: MixedTarget, count: Int, seed: UInt64, threads: Int, isControlled: Bool
  ) {
    guard target.dimension == 1, let length = target.length else {
      preconditionFailure("a table needs one dimension and a finite length")
    }
    let ranges = GaussianSample.parts(of: count, into: Self.mostParts)
    let nodes = Self.nodes(of: target, length, count: count, seed: seed)
    // Lanes within every part, so that all threads have something to do whatever the parts.
    let pieces = ranges.flatMap { range in
      let chunks = range.lowerBound / 8..<(range.upperBound + 7) / 8
      return balancedRanges(chunks.count, lanes: 4) { _ in 1 }.map {
        chunks.lowerBound + $0.lowerBound..<chunks.lowerBound + $0.upperBound
      }
    }
    let places = pieces.map { piece in ranges.firstIndex { $0.contains(piece.lowerBound * 8) } ?? 0
    }
    var sums = Array(repeating: [Double](repeating: 0, count: 3 * nodes.count), count: ranges.count)
    let found = inLanes(pieces.count, threads: threads) { lane in
      lane.map {
        Self.sums(
          target, length, nodes, chunks: pieces[$0], count: count, seed: seed,
          isControlled: isControlled)
      }
    }.flatMap { $0 }
    for (piece, part) in zip(found, places) {
      for i in piece.indices { sums[part][i] += piece[i] }
    }
    let whole = sums[0].indices.map { i in sums.reduce(0) { $0 + $1[i] } }
    let parts =
      ranges.count < Self.mostParts
      ? []
      : zip(sums, ranges).map { InductionTable(target, sums: $0, count: $1.count, parts: []) }
    self.init(target, sums: whole, count: count, parts: parts)
  }

  private init(_ target: MixedTarget, sums: [Double], count: Int, parts: [InductionTable]) {
    self.target = target
    self.count = count
    self.parts = parts
    let interval = Self.range(of: target)
    let n = sums.count / 3
    func polynomial(_ kind: Int) -> Chebyshev {
      Chebyshev((0..<n).map { sums[3 * $0 + kind] / Double(count) }, in: interval)
    }
    power = polynomial(0)
    slope = polynomial(1)
    square = polynomial(2)
  }

  /// Chebyshev's points, twice as many until the polynomials of a small sample have all their digits.
  private static func nodes(
    of target: MixedTarget, _ length: Int, count: Int, seed: UInt64
  ) -> [Double] {
    let few = min(count, 64)
    var points = fewestPoints
    while true {
      // One that fell upon m would have nothing to divide by.
      let nodes = Chebyshev.points(points, in: range(of: target)).map {
        abs($0 - target.product) < 1e-6 * target.product ? $0 + 1e-6 * target.product : $0
      }
      let sums = sums(
        target, length, nodes, chunks: 0..<(few + 7) / 8, count: few, seed: seed,
        isControlled: false)
      let table = InductionTable(target, sums: sums, count: few, parts: [])
      if points >= mostPoints || table.interpolationError < 1e-9 { return nodes }
      points *= 2
    }
  }

  /// Σ o_k², Σ o_k (o_k − o_m)/(k − m) and Σ ((o_k − o_m)/(k − m))² at every point.
  private static func sums(
    _ target: MixedTarget, _ length: Int, _ nodes: [Double], chunks: Range<Int>, count: Int,
    seed: UInt64, isControlled: Bool
  ) -> [Double] {
    let attention = PositionalAttention(firstRate: .infinity, rate: 1, terms: length - 2)
    var tokens = [Double](repeating: 0, count: length * 8)
    var scratch = [Double](repeating: 0, count: 32 * attention.terms)
    var outputs = [Double](repeating: 0, count: 13 * 8)
    func heads(_ product: Double, _ n: Double) -> [Head] {
      attention.withPoint(product: product, order: 0, byFirstRate: false) {
        gf_mixed_outputs($0, tokens, &scratch, &outputs)
      }
      return (0..<8).map { place in
        let ku = product * tokens[tokens.count - 8 + place]
        let mass = exp(outputs[96 + place] - ku * ku / 2) / n
        return Head(output: outputs[48 + place], control: outputs[48 + place] * mass)
      }
    }
    let n = Double(length - 2)
    let m = target.product
    // The normaliser's relative variance is (e^{k²u²} − 1)/N; up to U it is below 1/8 for all points.
    let bound =
      isControlled ? log1p(n / 8).squareRoot() / range(of: target).upperBound : 0
    var sums = [Double](repeating: 0, count: 3 * nodes.count)
    for chunk in chunks {
      // Idle places would hold what an earlier chunk left.
      if chunk * 8 + 8 > count { tokens = [Double](repeating: 0, count: length * 8) }
      GaussianSample.fill(
        &tokens, at: 0, chunk: chunk, count: count, length: length, seed: seed)
      let goals = heads(m, n)
      for (i, k) in nodes.enumerated() {
        for (place, (head, goal)) in zip(heads(k, n), goals).enumerated() {
          let difference = (head.output - goal.output) / (k - m)
          sums[3 * i] += head.output * head.output
          sums[3 * i + 1] += head.output * difference
          sums[3 * i + 2] += difference * difference
          let u = tokens[tokens.count - 8 + place]
          guard chunk * 8 + place < count, abs(u) < bound else { continue }
          let control = (head.control - goal.control) / (k - m)
          sums[3 * i] -= head.control * head.control
          sums[3 * i + 1] -= head.control * control
          sums[3 * i + 2] -= control * control
        }
      }
    }
    let lanes = Double(min(count, chunks.upperBound * 8) - chunks.lowerBound * 8)
    for (i, k) in nodes.enumerated() where bound > 0 {
      // Means of e^{su²}/N over |u| < U for s = k², km and m².
      let (own, shared, goal) = (
        truncatedMean(k * k, bound), truncatedMean(k * m, bound), truncatedMean(m * m, bound)
      )
      sums[3 * i] += lanes / n * own
      sums[3 * i + 1] += lanes / n * (own - shared) / (k - m)
      sums[3 * i + 2] += lanes / n * (own - 2 * shared + goal) / ((k - m) * (k - m))
    }
    return sums
  }

  /// E e^{su²} over |u| < U, by Simpson's rule.
  private static func truncatedMean(_ s: Double, _ bound: Double) -> Double {
    let count = 2000
    let end = min(bound, 12)
    let width = end / Double(count)
    let sum = (0...count).reduce(0.0) { sum, i in
      let u = Double(i) * width
      let weight: Double = i == 0 || i == count ? 1 : i % 2 == 1 ? 4 : 2
      return sum + weight * exp((s - 0.5) * u * u)
    }
    return 2 * sum * width / 3 / (2 * Double.pi).squareRoot()
  }

  /// o of one sequence, and ô.
  private struct Head {
    let output, control: Double
  }

  /// The largest last coefficients of the three polynomials beside their largest.
  public var interpolationError: Double { max(power.tail, slope.tail, square.tail) }

  /// Adds L_IH with its derivatives by v and k.
  func add(to result: inout MixedDerivatives, at z: MixedPoint, order: Int) {
    let (c, k) = (target.inductionShare, z.product[0])
    let (x, y) = (z.value - c, k - target.product)
    let (p, g, f) = (power(k), slope(k), square(k))
    result.parts.induction +=
      (x * x * p.value + 2 * c * x * y * g.value + c * c * y * y * f.value) / 2
    if order < 1 { return }
    let (pv, pk) = (MixedPoint.value, MixedPoint.product)
    // y G and y² F with their derivatives.
    let g1 = g.value + y * g.slope
    let f1 = 2 * y * f.value + y * y * f.slope
    result.gradient[pv] += x * p.value + c * y * g.value
    result.gradient[pk] += (x * x * p.slope + 2 * c * x * g1 + c * c * f1) / 2
    if order < 2 { return }
    let g2 = 2 * g.slope + y * g.curvature
    let f2 = 2 * f.value + 4 * y * f.slope + y * y * f.curvature
    result.add(p.value, pv, pv)
    result.add(x * p.slope + c * g1, pv, pk)
    result.add((x * x * p.curvature + 2 * c * x * g2 + c * c * f2) / 2, pk, pk)
  }

  /// L_IH at k = 0 with the best v: ½c²m² [F(0) − G(0)²/P(0)].
  ///
  /// With v − c = x it is ½[x²P − 2c x m G + c²m²F], least at x = c m G/P.
  var plateau: Double {
    let (c, m) = (target.inductionShare, target.product)
    let (p, g, f) = (power(0).value, slope(0).value, square(0).value)
    return c * c * m * m * (f - g * g / p) / 2
  }

  /// R = E IH₂², the power of the target, which is P(m).
  public var targetPower: Double { power(target.product).value }

  /// The standard error of ``targetPower``, from the parts of the sample; infinite where there are none.
  public var targetPowerError: Double {
    guard parts.count > 1 else { return .infinity }
    let n = Double(parts.count)
    let values = parts.map(\.targetPower)
    let mean = values.reduce(0, +) / n
    return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (n * (n - 1))).squareRoot()
  }
}
