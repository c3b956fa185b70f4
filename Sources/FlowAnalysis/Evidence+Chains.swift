import Corpora
import InductionHeads
import MarkovChains

#if canImport(Glibc)
  import Glibc
#endif

// What is computed from the chains alone, without windows pairs or the model's kernel.

extension Evidence {
  /// Ĩ(S) of the own lags of every subset with a coefficient, averaged over the chains.
  package func modifiedInformations() -> [Double] {
    guard case .population(let law) = objective.data, let first = law.chains.first else {
      return []
    }
    let lagSets = model.coefficientSubsets.map { subset in
      Array(Set(subset.map { model.heads[$0].ownLag })).sorted()
    }
    var measures = InformationMeasures(
      vocabulary: model.vocabulary, parents: first.parents, lagSets: lagSets)
    var sums = [Double](repeating: 0, count: lagSets.count)
    for chain in law.chains {
      for (i, information) in measures.measure(chain).enumerated() {
        sums[i] += information.modified / Double(law.chainCount)
      }
    }
    return sums
  }

  /// The entropy of the next token given the window at some lags, −E log μ(e | Z_S), in nats.
  package func conditionalEntropy(lags: [Int]) -> Double {
    meanOverMarginals(lags: lags) { pair, window, _ in
      pair.reduce(0) { $1 > 0 ? $0 - $1 * log($1 / window) : $0 }
    }
  }

  /// −∂_a L of the limit model GIH(S).
  ///
  /// With b = e^a − 1 its output at a query with sub-window Z is y_e = (μ(e) + b μ(e,Z))/(1 + b μ(Z)),
  /// so with δ_e = μ(e,Z) − μ(e) μ(Z) the slope is Σ_Z Σ_e e^a δ_e² / ((1 + b μ(Z))² (μ(e) + b μ(e,Z)))
  /// for ε = 0 (derived; Σ_e δ_e = 0 has been used, and no term is negative).
  ///
  /// - Parameters:
  ///   - lags: the lags of S.
  ///   - scale: a.
  /// - Returns: −∂L/∂a.
  package func limitSlope(lags: [Int], at scale: Double) -> Double {
    let b = expm1(scale)
    return meanOverMarginals(lags: lags) { pair, window, token in
      let z = 1 + b * window
      var slope = 0.0
      for e in pair.indices where token[e] > 0 {
        // A token that never follows Z counts, too: Σ_e δ_e = 0 needs all of them.
        let gap = pair[e] - token[e] * window
        let likelihood = token[e] + b * pair[e]
        if floor == 0 {
          slope += (b + 1) * gap * gap / (z * z * likelihood)
        } else {
          slope += (b + 1) * gap * pair[e] / (z * likelihood) / (1 + floor * z / likelihood)
        }
      }
      return slope
    }
  }

  /// The sum over sub-windows Z of a function of μ(Z, e) over e, μ(Z) and μ(e), averaged over the
  /// chains.
  private func meanOverMarginals(
    lags: [Int], _ term: (_ pair: [Double], _ window: Double, _ token: [Double]) -> Double
  ) -> Double {
    guard case .population(let law) = objective.data, let first = law.chains.first else {
      return .nan
    }
    var sum = 0.0
    let d = model.vocabulary
    let length = max(lags.last ?? 1, first.memory)
    let projection = Windows.projection(vocabulary: d, length: length, lags: lags)
    let count = Windows.count(vocabulary: d, length: lags.count)
    var solver = StationarySolver(vocabulary: d, parents: first.parents)
    for chain in law.chains {
      let joint = solver.windowLaw(of: chain, length: length + 1).probabilities
      var pairs = [Double](repeating: 0, count: count * d)
      var token = [Double](repeating: 0, count: d)
      for (index, p) in joint.enumerated() {
        pairs[projection[index / d] * d + index % d] += p
        token[index % d] += p
      }
      for z in 0..<count {
        let pair = Array(pairs[z * d..<(z + 1) * d])
        let window = pair.reduce(0, +)
        if window > 0 { sum += term(pair, window, token) }
      }
    }
    return sum / Double(law.chainCount)
  }
}
