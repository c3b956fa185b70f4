import CKernels
import ParallelLoops

/// The loss of the six-parameter transformer itself on a fixed sample of sequences.
///
/// L = ½ mean |target − TF|² with the softmax normalisers of both layers as they are; p₁ may be finite.
struct SampledLoss: MixedLoss {
  let target: MixedTarget
  let sample: GaussianSample
  /// Σ softmax_s(m x_L x_{s−1}) x_s of every sequence, in the order of the tokens.
  private let induction: [Double]
  let plateau: Double

  /// The residuals r₁ = v₁h − a x_{L−2} and r₂ = v o − c IH₂ with what they are made of:
  /// r₁, h, h₁, h_p, h₁₁, h₁p, h_pp, and r₂, o, o₁, o_k, o₁₁, o₁k, o_kk.
  private static let functions = 14

  init(_ target: MixedTarget, _ sample: GaussianSample, threads: Int) {
    precondition(target.dimension == 1 && target.length == sample.length, "another target's sample")
    self.target = target
    self.sample = sample
    let copying = PositionalAttention(firstRate: .infinity, rate: 1, terms: sample.length - 2)
    let outputs = Self.outputs(of: sample, copying, product: target.product, threads: threads)
    induction = outputs
    // At K = 0 the head's output is the mean of the tokens, and v = c Q(0)/P(0) is best.
    let means = Self.outputs(of: sample, copying, product: 0, threads: threads)
    let n = Double(sample.count)
    func mean(_ x: [Double], _ y: [Double]) -> Double {
      zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } / n
    }
    let shared = mean(means, outputs)
    let c = target.inductionShare
    plateau = c * c * (mean(outputs, outputs) - shared * shared / mean(means, means)) / 2
  }

  /// o of every sequence for a first layer that copies.
  private static func outputs(
    of sample: GaussianSample, _ attention: PositionalAttention, product: Double, threads: Int
  ) -> [Double] {
    let size = sample.length * GaussianSample.lanes
    return inLanes(sample.tokens.count / size, threads: threads) { range in
      var scratch = [Double](repeating: 0, count: 32 * attention.terms)
      var outputs = [Double](repeating: 0, count: 13 * 8)
      var result: [Double] = []
      attention.withPoint(product: product, order: 0, byFirstRate: false) { point in
        sample.tokens.withUnsafeBufferPointer { tokens in
          guard let tokens = tokens.baseAddress else { return }
          for chunk in range {
            gf_mixed_outputs(point, tokens + chunk * size, &scratch, &outputs)
            result += outputs[48..<56]
          }
        }
      }
      return result
    }.flatMap { $0 }
  }

  func derivatives(at z: MixedPoint, order: Int, byFirstRate: Bool, threads: Int)
    -> MixedDerivatives
  {
    let means = products(at: z, order: order, byFirstRate: byFirstRate, threads: threads)
    let count = Self.functions
    func mean(_ i: Int, _ j: Int) -> Double { means[min(i, j) * count + max(i, j)] }
    var result = MixedDerivatives(count: z.count, order: order)
    result.parts.fourGram = mean(0, 0) / 2
    result.parts.induction = mean(7, 7) / 2
    let isSum = target.form == .sum
    if isSum { result.parts.cross = mean(0, 7) }
    if order < 1 { return result }

    // ∂r by p₁, p, v₁, v, k as combinations of the functions, first those of r₁, then of r₂.
    let (v1, v) = (z.firstValue, z.value)
    let slopes: [[(Int, Double)]] = [
      [(2, v1), (9, v)], [(3, v1)], [(1, 1)], [(8, 1)], [(10, v)],
    ]
    let bends: [(Int, Int, [(Int, Double)])] = [
      (0, 0, [(4, v1), (11, v)]), (0, 1, [(5, v1)]), (0, 2, [(2, 1)]), (0, 3, [(9, 1)]),
      (0, 4, [(12, v)]), (1, 1, [(6, v1)]), (1, 2, [(3, 1)]), (3, 4, [(10, 1)]), (4, 4, [(13, v)]),
    ]
    // A residual of the vector target meets its own functions only.
    func meets(_ i: Int, _ j: Int) -> Bool { isSum || (i < 7) == (j < 7) }
    func residual(_ terms: [(Int, Double)]) -> Double {
      terms.reduce(0) { sum, term in
        [0, 7].reduce(sum) { meets($1, term.0) ? $0 + term.1 * mean($1, term.0) : $0 }
      }
    }
    for (i, slope) in slopes.enumerated() { result.gradient[i] = residual(slope) }
    if order < 2 { return result }
    for i in slopes.indices {
      for j in i..<slopes.count {
        var sum = 0.0
        for x in slopes[i] {
          for y in slopes[j] where meets(x.0, y.0) { sum += x.1 * y.1 * mean(x.0, y.0) }
        }
        result.add(sum, i, j)
      }
    }
    for (i, j, bend) in bends { result.add(residual(bend), i, j) }
    return result
  }

  /// The means of products of the functions, shape (14, 14), its upper triangle.
  private func products(at z: MixedPoint, order: Int, byFirstRate: Bool, threads: Int) -> [Double] {
    let attention = PositionalAttention(
      firstRate: z.firstRate, rate: z.rate, terms: sample.length - 2)
    let count = Self.functions
    let size = sample.length * GaussianSample.lanes
    // Residuals with everything, for the Hessian also first derivatives with each other. Those of the sum
    // target meet the functions of the other head, too.
    let last = target.form == .sum ? 6 : order > 1 ? 3 : 0
    let wanted = (0..<count).map { Int32($0 % 7 <= last ? 1 : 0) }
    let sums = inLanes(sample.tokens.count / size, threads: threads) { range in
      var sums = [Double](repeating: 0, count: count * count * 8)
      var scratch = [Double](repeating: 0, count: 32 * attention.terms)
      var outputs = [Double](repeating: 0, count: 13 * 8)
      var functions = [Double](repeating: 0, count: count * 8)
      attention.withPoint(product: z.product[0], order: order, byFirstRate: byFirstRate) { point in
        sample.tokens.withUnsafeBufferPointer { tokens in
          guard let tokens = tokens.baseAddress else { return }
          for chunk in range {
            let own = tokens + chunk * size
            gf_mixed_outputs(point, own, &scratch, &outputs)
            for place in 0..<8 {
              functions[place] =
                z.firstValue * outputs[place]
                - target.fourGramShare * own[(sample.length - 3) * 8 + place]
              functions[56 + place] =
                z.value * outputs[48 + place]
                - target.inductionShare * induction[chunk * 8 + place]
            }
            for i in 0..<48 {
              functions[8 + i] = outputs[i]
              functions[64 + i] = outputs[48 + i]
            }
            gf_add_products(Int32(count), wanted, functions, &sums)
          }
        }
      }
      return sums
    }
    var means = [Double](repeating: 0, count: count * count)
    for lane in sums {
      for i in means.indices { for place in 0..<8 { means[i] += lane[8 * i + place] } }
    }
    return means.map { $0 / Double(sample.count) }
  }
}
