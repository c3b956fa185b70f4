import Corpora
import Foundation
import InductionHeads

/// The transformer straight from its definition.
///
/// Every position of every sequence, no window tables, no sharing, no tricks. It shares no code with the compressed evaluation.
struct NaiveTransformer {
  let vocabulary: Int
  let heads: [GIHTransformer.Head]
  let window: Int
  let degree: Int
  let emptySet: Bool
  let allPositions: Bool
  let loss: OutputLoss
  let normalisesHeads: Bool
  let normalisesKernel: Bool
  var hasOwnPositions = false

  /// All subsets in the order of the coefficients: by size, then lexicographically.
  var subsets: [[Int]] {
    let all = (0..<(1 << heads.count)).map { mask in
      (0..<heads.count).filter { mask >> $0 & 1 == 1 }
    }
    return all.filter { $0.count <= degree && (emptySet || !$0.isEmpty) }
      .sorted {
        ($0.count, $0.map(String.init).joined()) < ($1.count, $1.map(String.init).joined())
      }
  }

  /// The mean loss over sequences.
  ///
  /// - Parameters:
  ///   - theta: c, w, a.
  ///   - sequences: each x_1…x_{L+1}.
  ///   - laws: the law of each target, or nil for the sampled target.
  /// - Returns: the mean.
  func loss(_ theta: [Double], _ sequences: [[UInt8]], laws: [[Double]]?) -> Double {
    let subsets = subsets
    let c = Array(theta[..<subsets.count])
    var rest = Array(theta[subsets.count...])
    // The weights of the output position, then those of the positions that are read, or the same for all.
    let length = sequences[0].count - 1
    let first = allPositions ? 1 : window + 1
    let blocks = (0..<(hasOwnPositions ? length - first + 2 : 1)).map { _ in
      heads.map { head -> [Double] in
        defer { rest.removeFirst(head.lags.count) }
        return Array(rest[..<head.lags.count])
      }
    }
    let a = rest[0]
    var total = 0.0
    for (s, x) in sequences.enumerated() {
      // v of head h at position l (from 1).
      func v(_ h: Int, _ l: Int) -> [Double] {
        let w = blocks[hasOwnPositions && l <= length ? l - first + 1 : 0]
        var sum = [Double](repeating: 0, count: vocabulary)
        var norm = 0.0
        for (i, lag) in heads[h].lags.enumerated() where l - lag >= 1 {
          sum[Int(x[l - lag - 1])] += exp(w[h][i])
          norm += exp(w[h][i])
        }
        let v = norm == 0 ? sum : sum.map { $0 / norm }
        if !normalisesHeads { return v }
        return v.map { $0 / (v.reduce(0) { $0 + $1 * $1 }.squareRoot() + 1e-7) }
      }
      let output = heads.indices.map { v($0, length + 1) }
      var scores: [Double] = []
      let positions = Array((allPositions ? 1 : window + 1)...length)
      for l in positions {
        // The published code has a rectifier behind normalised heads.
        let g = heads.indices.map { h in
          max(0, zip(v(h, l), output[h]).reduce(0) { $0 + $1.0 * $1.1 })
        }
        var k = 0.0
        for (j, subset) in subsets.enumerated() {
          k += c[j] * c[j] * subset.reduce(1) { $0 * g[$1] }
        }
        scores.append(a * k / (normalisesKernel ? c.reduce(0) { $0 + $1 * $1 } : 1))
      }
      let largest = scores.max() ?? 0
      let powers = scores.map { exp($0 - largest) }
      var y = [Double](repeating: 0, count: vocabulary)
      for (l, power) in zip(positions, powers) {
        y[Int(x[l - 1])] += power / powers.reduce(0, +)
      }
      let law = laws?[s] ?? (0..<vocabulary).map { $0 == Int(x[length]) ? 1 : 0 }
      for e in 0..<vocabulary where law[e] > 0 {
        switch loss {
        case .logProbability(let floor): total -= law[e] * log(y[e] + floor)
        case .crossEntropyOfLogits:
          total -= law[e] * log(exp(y[e]) / y.reduce(0) { $0 + exp($1) })
        }
      }
    }
    return total / Double(sequences.count)
  }

  /// k(ω, q) of two full windows, newest token first.
  func kernel(_ theta: [Double], _ window: [Int], _ query: [Int]) -> Double {
    let subsets = subsets
    let c = Array(theta[..<subsets.count])
    var next = subsets.count
    var overlaps: [Double] = []
    for head in heads {
      let powers = head.lags.indices.map { exp(theta[next + $0]) }
      next += head.lags.count
      let total = powers.reduce(0, +)
      var overlap = 0.0
      for (i, lag) in head.lags.enumerated() {
        for (j, other) in head.lags.enumerated() where window[lag - 1] == query[other - 1] {
          overlap += powers[i] / total * powers[j] / total
        }
      }
      func norm(_ tokens: [Int]) -> Double {
        var v = [Double](repeating: 0, count: vocabulary)
        for (i, lag) in head.lags.enumerated() { v[tokens[lag - 1]] += powers[i] / total }
        return v.reduce(0) { $0 + $1 * $1 }.squareRoot() + 1e-7
      }
      overlaps.append(normalisesHeads ? overlap / (norm(window) * norm(query)) : overlap)
    }
    let terms = zip(c, subsets).map { $0 * $0 * $1.reduce(1) { $0 * overlaps[$1] } }
    return terms.reduce(0, +) / (normalisesKernel ? c.reduce(0) { $0 + $1 * $1 } : 1)
  }
}
