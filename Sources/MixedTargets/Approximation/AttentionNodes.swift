import Foundation

/// The heads that lag kernels are made of: head h weighs the offset j by q_h^j, q_h = e^{−p_h}.
///
/// Whatever is fixed by the nodes alone is here: the kernels that are 1 at one of the first H offsets
/// and 0 at the others, their amplitudes and their tails. All of it is computed as sums and products
/// of positive numbers, so that nothing cancels. *Derived in* <doc:Approximation>.
public struct AttentionNodes: Sendable, Equatable {
  /// q_1 > … > q_H, in (0, 1).
  public let values: [Double]

  /// Nodes in any order.
  ///
  /// - Parameter values: one or more distinct numbers in (0, 1).
  public init(_ values: [Double]) {
    self.values = values.sorted(by: >)
    precondition(
      !values.isEmpty && self.values.allSatisfy { $0 > 0 && $0 < 1 }
        && zip(self.values, self.values.dropFirst()).allSatisfy { $0 > $1 },
      "nodes are distinct numbers between 0 and 1")
  }

  /// The fixed nodes 2^{−1}, …, 2^{−H}.
  ///
  /// - Parameter count: H ≥ 1.
  /// - Returns: the nodes.
  public static func geometric(count: Int) -> AttentionNodes {
    AttentionNodes((1...count).map { exp2(-Double($0)) })
  }

  /// H, the number of heads.
  public var count: Int { values.count }

  /// The rates p_h = −log q_h, ascending.
  public var rates: [Double] { values.map { -log($0) } }

  /// e_b of all nodes but one: the b-th elementary symmetric polynomial.
  package func elementary(_ b: Int, without head: Int) -> Double {
    var sums = [Double](repeating: 0, count: b + 1)
    sums[0] = 1
    for (h, q) in values.enumerated() where h != head {
      for degree in stride(from: b, to: 0, by: -1) { sums[degree] += q * sums[degree - 1] }
    }
    return sums[b]
  }

  /// The amplitudes A_h of the kernel L_m(j) = Σ_h A_h q_h^j with L_m(j) = δ_{jm} for j < H.
  ///
  ///     A_h = (−1)^{H−1−m} e_{H−1−m}(the other nodes) / Π_{g≠h} (q_h − q_g)
  ///
  /// - Parameter m: the offset, 0…H−1.
  /// - Returns: the amplitudes, one for each node.
  package func cardinalAmplitudes(at m: Int) -> [Double] {
    let b = count - 1 - m
    let sign: Double = b % 2 == 0 ? 1 : -1
    return values.enumerated().map { h, q in
      var product = sign
      for (g, other) in values.enumerated() where g != h { product *= q - other }
      return elementary(b, without: h) / product
    }
  }

  /// Σ_h |A_h|/(1 − q_h) of the kernel L_m.
  package func cardinalWeight(at m: Int) -> Double {
    zip(cardinalAmplitudes(at: m), values).reduce(0) { $0 + abs($1.0) / (1 - $1.1) }
  }

  /// Σ_{j≥H} |L_m(j)| for m = H−1, H−2, …, 0.
  ///
  /// The tail of L_m is a hook Schur polynomial of the nodes, s_{(j−H+1, 1^b)} with b = H−1−m, times
  /// (−1)^b. Adding one node q to the others gives T(b) ← (T(b) + q T(b−1))/(1 − q), with
  /// T(−1) = 1.
  package var tailSums: [Double] {
    var sums = [Double](repeating: 0, count: count)
    for (n, q) in values.enumerated() {
      for b in stride(from: n, to: 0, by: -1) { sums[b] = (sums[b] + q * sums[b - 1]) / (1 - q) }
      sums[0] = (sums[0] + q) / (1 - q)
    }
    return sums
  }

  /// The number of offsets from H on after which tails are below 2⁻⁵² of their sum many times over.
  package var tailLength: Int { Int((45 + 2 * Double(count)) / -log(values[0])) + count }

  /// L_m(j) for H ≤ j < H + length, shape (length, H): row by offset, column by m.
  package func tails(length: Int) -> [Double] {
    // hooks[b][a] = s_{(a, 1^b)}; [0][0] is the empty partition.
    var hooks = [[Double]](
      repeating: [Double](repeating: 0, count: length + 1), count: count)
    hooks[0][0] = 1
    for (n, q) in values.enumerated() {
      for b in stride(from: n, through: 0, by: -1) {
        for a in 1...length {
          hooks[b][a] += q * hooks[b][a - 1] + (b > 0 ? q * hooks[b - 1][a] : 0)
        }
      }
    }
    var tails = [Double](repeating: 0, count: length * count)
    for offset in 0..<length {
      for m in 0..<count {
        let b = count - 1 - m
        tails[offset * count + m] = (b % 2 == 0 ? 1 : -1) * hooks[b][offset + 1]
      }
    }
    return tails
  }
}
