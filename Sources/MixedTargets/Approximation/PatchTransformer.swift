import Foundation

/// The two-layer transformer without FFN that approximates IH_n.
///
/// IH_n compares the patch of the last n − 1 tokens with the patches before the positions s:
///
///     IH_n = Σ_{s=n}^{L−1} softmax_s(z_s) x_s,    z_s = w/((n−1)d) Σ_{i=1}^{n−1} ⟨x_{L−i+1}, x_{s−i}⟩,
///
/// that is W* a multiple of the identity with ‖W*‖_{1,1} = w. In the first layer H heads, shared by all
/// lags, see positions only; head h enters slot i with the weight A_{h,i}/(1 − q_h), so that slot i
/// of position s is about x_{s−i} (``LagKernel``). The second layer compares the query's token and its
/// slots 1…n−2 with the slots 1…n−1 of s.
///
/// Source of the construction: Wang, Yu, E, Wu, arXiv 2410.11474; the bound is derived in
/// <doc:Approximation>.
public struct PatchTransformer: Sendable, Equatable {
  /// The kernels of the lags 1…n−1, all on the same nodes.
  public let kernels: [LagKernel]
  /// The dimension d of a token.
  public let dimension: Int
  /// w = ‖W*‖_{1,1} ≥ 0.
  public let norm: Double

  /// A transformer from the kernels of its slots.
  ///
  /// - Parameters:
  ///   - kernels: those of the lags 1…n−1 in order, on the same nodes.
  ///   - dimension: d ≥ 1.
  ///   - norm: ‖W*‖_{1,1} ≥ 0.
  public init(kernels: [LagKernel], dimension: Int, norm: Double) {
    precondition(
      !kernels.isEmpty && kernels.indices.allSatisfy { kernels[$0].lag == $0 + 1 }
        && kernels.allSatisfy { $0.nodes == kernels[0].nodes },
      "one kernel for every lag from 1, on shared nodes")
    precondition(dimension >= 1 && norm >= 0, "d ≥ 1 and ‖W*‖ ≥ 0")
    self.kernels = kernels
    self.dimension = dimension
    self.norm = norm
  }

  /// The transformer whose shared nodes are best for the longest lag, n − 1.
  ///
  /// Shorter lags then have smaller errors and smaller weights.
  ///
  /// - Parameters:
  ///   - order: n ≥ 2.
  ///   - heads: H ≥ n − 1; with fewer no kernel of lag n − 1 has an error below 1.
  ///   - choice: how nodes are chosen.
  ///   - budget: the most that Σ |weights| of one slot may be.
  ///   - largestRate: the largest rate of optimised nodes.
  ///   - dimension: d ≥ 1.
  ///   - norm: ‖W*‖_{1,1} ≥ 0.
  public init(
    order: Int, heads: Int, nodes choice: LagKernel.NodeChoice, budget: Double,
    largestRate: Double, dimension: Int, norm: Double
  ) {
    precondition(order >= 2 && heads >= order - 1, "IH_n needs n − 1 shared heads")
    let longest = LagKernel.best(
      lag: order - 1, heads: heads, nodes: choice, budget: budget, largestRate: largestRate)
    let shorter = (1..<order).dropLast().map {
      LagKernel.best(lag: $0, nodes: longest.nodes, budget: budget)
    }
    self.init(kernels: shorter + [longest], dimension: dimension, norm: norm)
  }

  /// The order n.
  public var order: Int { kernels.count + 1 }

  /// The largest Σ |weights| of a slot.
  public var weight: Double { kernels.map(\.weight).max() ?? 0 }

  /// The most that ‖IH_n − TF‖_∞ can be on sequences with ‖x‖_∞ ≤ 1, rounding included.
  ///
  /// With e_i the error of slot i and e_0 = 0 a logit is off by at most
  /// η = w/(n−1) Σ_{i=1}^{n−1} (e_{i−1}(1 + e_i) + e_i), and the output by 2 tanh(η/2).
  public var bound: Double {
    let errors = [0] + kernels.map { $0.error + $0.roundingAllowance }
    var sum = 0.0
    for (before, error) in zip(errors, errors.dropFirst()) { sum += before * (1 + error) + error }
    return SoftmaxReadOut.bound(perturbation: norm / Double(order - 1) * sum)
  }

  /// ‖IH_n − TF‖_∞ on a sequence, with the first layer in double precision as a transformer has it.
  ///
  /// The change of the logits goes through the errors of the slots and the read-out through
  /// `SoftmaxReadOut`, so that what is lost to rounding is lost in the first layer.
  /// Cost O(L H n d).
  ///
  /// - Parameter tokens: x, of length L ≥ n + 1.
  /// - Returns: the error, ≥ 0.
  public func error(on tokens: RealTokens) -> Double {
    let (d, length, n) = (dimension, tokens.length, order)
    precondition(tokens.dimension == d && length > n, "the sequence does not fit")
    var layer = FirstLayer(kernels: kernels, dimension: d)
    // Slots of the positions n…L−1 and L; slot i − 1 of a position is the one of lag i.
    let width = kernels.count * d
    var slots: [Double] = []
    slots.reserveCapacity((length - n + 1) * width)
    for s in 1...length {
      if s >= n { layer.appendSlots(to: &slots) }
      for c in 0..<d { layer.take(tokens[position: s, c], c) }
      layer.advance()
    }
    let query = slots[(slots.count - width)...]
    let scale = norm / Double(kernels.count * d)
    var logits: [Double] = []
    var perturbations: [Double] = []
    for s in n..<length {
      var (logit, perturbation) = (0.0, 0.0)
      for i in 1..<n {
        for c in 0..<d {
          let key = slots[(s - n) * width + (i - 1) * d + c]
          let exactKey = tokens[position: s - i, c]
          let exactQuery = tokens[position: length - i + 1, c]
          // q̂ k̂ − q k = (q̂ − q) k̂ + q (k̂ − k); the query's own token is exact.
          let queryError =
            i == 1 ? 0 : query[query.startIndex + (i - 2) * d + c] - exactQuery
          logit += exactQuery * exactKey
          perturbation += queryError * key + exactQuery * (key - exactKey)
        }
      }
      logits.append(scale * logit)
      perturbations.append(scale * perturbation)
    }
    return SoftmaxReadOut.change(
      logits: logits, perturbations: perturbations,
      tokens: tokens.values[((n - 1) * d)..<((length - 1) * d)], dimension: d)
  }
}

/// The heads of the first layer, position by position: Σ_j q_h^j x_{s−1−j} and Σ_j q_h^j.
private struct FirstLayer {
  private let nodes: [Double]
  /// Output weights, shape (slots, H).
  private let weights: [[Double]]
  private let dimension: Int
  private var sums: [Double]
  private var masses: [Double]

  init(kernels: [LagKernel], dimension: Int) {
    nodes = kernels[0].nodes.values
    weights = kernels.map(\.outputWeights)
    self.dimension = dimension
    sums = [Double](repeating: 0, count: nodes.count * dimension)
    masses = [Double](repeating: 0, count: nodes.count)
  }

  /// Adds a coordinate of the present token, once for every coordinate.
  mutating func take(_ value: Double, _ c: Int) {
    for (h, q) in nodes.enumerated() {
      sums[h * dimension + c] = q * sums[h * dimension + c] + value
    }
  }

  /// Ends the present position.
  mutating func advance() {
    for (h, q) in nodes.enumerated() { masses[h] = q * masses[h] + 1 }
  }

  /// The slots of the present position, which sees the tokens before it.
  func appendSlots(to slots: inout [Double]) {
    for slot in weights {
      for c in 0..<dimension {
        var value = 0.0
        for h in nodes.indices { value += slot[h] * (sums[h * dimension + c] / masses[h]) }
        slots.append(value)
      }
    }
  }
}
