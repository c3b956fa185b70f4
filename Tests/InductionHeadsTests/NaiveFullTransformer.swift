import Corpora
import Foundation
import InductionHeads
import Objectives

/// A ``FullTransformer`` position by position and sum by sum, from the definition: no windows, no tables, no matrices.
struct NaiveFullTransformer {
  let model: FullTransformer
  let theta: [Double]

  /// The mean loss of sequences with given laws of the last token, or with the token itself.
  func loss(_ sequences: [[UInt8]], laws: [[Double]]?) -> Double {
    var total = 0.0
    for (s, sequence) in sequences.enumerated() {
      let law =
        laws?[s] ?? (0..<model.vocabulary).map { $0 == Int(sequence[sequence.count - 1]) ? 1 : 0 }
      total += loss(of: output(Array(sequence.dropLast())), law)
    }
    return total / Double(sequences.count)
  }

  private func loss(of y: [Double], _ law: [Double]) -> Double {
    var total = 0.0
    for e in y.indices where law[e] > 0 {
      switch model.loss {
      case .logProbability(let floor): total -= law[e] * log(y[e] + floor)
      case .crossEntropyOfLogits:
        total -= law[e] * log(exp(y[e]) / y.reduce(0) { $0 + exp($1) })
      }
    }
    return total
  }

  /// k of a position with its own token and those before it, newest first, and an output position.
  func score(key: [Int], query: [Int]) -> Double {
    let keys = features(key.reversed().map { UInt8($0) })
    let queries = features(query.reversed().map { UInt8($0) })
    return compare(keys[key.count - 1], queries[query.count])
  }

  /// What is compared, at every position and at the output.
  private func features(_ x: [UInt8]) -> [[Double]] {
    // Positions 1…L and the output, which holds no token.
    var features = x.map { token in (0..<model.vocabulary).map { $0 == Int(token) ? 1.0 : 0 } }
    features.append([Double](repeating: 0, count: model.vocabulary))
    for (index, layer) in model.attention.enumerated() {
      let prefix = index == 0 ? "" : "upper."
      features = features.indices.map { attend(features, at: $0, layer, prefix) }
    }
    if case .innerProduct(let network?, _) = model.comparison {
      features = features.map { apply(network, to: $0) }
    }
    return features
  }

  /// y.
  private func output(_ x: [UInt8]) -> [Double] {
    let length = x.count
    let features = features(x)
    let first = model.windowShape.range == .allPositions ? 0 : model.window
    let scores = (first..<length).map {
      value("a") * compare(features[$0], features[length])
    }
    let largest = scores.max() ?? 0
    let total = scores.reduce(0) { $0 + exp($1 - largest) }
    var y = [Double](repeating: 0, count: model.vocabulary)
    for (i, score) in scores.enumerated() { y[Int(x[first + i])] += exp(score - largest) / total }
    return y
  }

  /// All heads of a layer at a position, one after the other.
  private func attend(
    _ x: [[Double]], at l: Int, _ layer: FullTransformer.Attention, _ prefix: String
  ) -> [Double] {
    let width = x[l].count
    return layer.heads.enumerated().flatMap { h, head -> [Double] in
      var logits: [(position: Int, logit: Double)] = layer.seesItself ? [(l, 1e-6)] : []
      for lag in head.lags where l - lag >= 0 {
        logits.append((l - lag, value("\(prefix)w.\(h + 1).\(lag)")))
      }
      if layer.hasContent {
        let q = multiply(transpose(matrix("\(prefix)wq.\(h + 1)", width, width)), x[l])
        for i in logits.indices {
          let k = multiply(
            transpose(matrix("\(prefix)wk.\(h + 1)", width, width)), x[logits[i].position])
          logits[i].logit += dot(q, k)
        }
      }
      let total = logits.reduce(0) { $0 + exp($1.logit) }
      var mixed = [Double](repeating: 0, count: width)
      for (position, logit) in logits {
        for i in 0..<width { mixed[i] += exp(logit) / total * x[position][i] }
      }
      if layer.hasValues {
        mixed = multiply(matrix("\(prefix)wov.\(h + 1)", width, width), mixed)
      }
      return layer.normFloor.map { normalise(mixed, $0, "\(prefix)ln") } ?? mixed
    }
  }

  private func apply(_ network: FullTransformer.Network, to v: [Double]) -> [Double] {
    let hidden = affine(v, 1, network.hidden).map { x -> Double in
      switch network.activation {
      case .gelu: 0.5 * x * (1 + erf(x / 2.0.squareRoot()))
      case .tanh: tanh(x)
      case .softplus: log(1 + exp(x))
      }
    }
    let u = affine(hidden, 2, network.features)
    return network.normFloor.map { normalise(u, $0, "ffn") } ?? u
  }

  private func affine(_ v: [Double], _ layer: Int, _ rows: Int) -> [Double] {
    multiply(matrix("w\(layer)", rows, v.count), v).enumerated().map {
      $1 + value("b\(layer).\($0 + 1)")
    }
  }

  private func normalise(_ x: [Double], _ floor: Double, _ name: String) -> [Double] {
    let mean = x.reduce(0, +) / Double(x.count)
    let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)
    return x.enumerated().map { i, x in
      value("\(name).gain.\(i + 1)") * (x - mean) / (variance + floor).squareRoot()
        + value("\(name).bias.\(i + 1)")
    }
  }

  /// k.
  private func compare(_ key: [Double], _ query: [Double]) -> Double {
    switch model.comparison {
    case .innerProduct(_, let isBilinear):
      let u = isBilinear ? multiply(matrix("b", query.count, query.count), query) : query
      return dot(key, u) / Double(query.count).squareRoot()
    case .polynomial(_, _, let isNormalised, let isRectified):
      let heads = model.attention[model.attention.count - 1].heads.count
      let width = key.count / heads
      let overlaps = (0..<heads).map { h -> Double in
        let range = h * width..<(h + 1) * width
        let g = dot(Array(key[range]), Array(query[range]))
        return isRectified ? max(g, 0) : g
      }
      var (sum, squares) = (0.0, 0.0)
      for name in model.layout.names where name.hasPrefix("c.") {
        let members =
          name == "c.0" ? [] : name.dropFirst(2).split(separator: "+").compactMap { Int($0) }
        let c = value(name)
        sum += c * c * members.reduce(1) { $0 * overlaps[$1 - 1] }
        squares += c * c
      }
      return isNormalised ? sum / squares : sum
    }
  }

  private func value(_ name: String) -> Double {
    theta[place(name)]
  }

  private func place(_ name: String) -> Int {
    guard let place = model.layout.names.firstIndex(of: name) else {
      preconditionFailure("no parameter \(name)")
    }
    return place
  }

  private func matrix(_ name: String, _ rows: Int, _ columns: Int) -> [[Double]] {
    let first = place("\(name).1.1")
    return (0..<rows).map { row in (0..<columns).map { theta[first + row * columns + $0] } }
  }

  private func transpose(_ m: [[Double]]) -> [[Double]] {
    m[0].indices.map { column in m.map { $0[column] } }
  }

  private func multiply(_ m: [[Double]], _ x: [Double]) -> [Double] { m.map { dot($0, x) } }

  private func dot(_ x: [Double], _ y: [Double]) -> Double {
    zip(x, y).reduce(0) { $0 + $1.0 * $1.1 }
  }
}
