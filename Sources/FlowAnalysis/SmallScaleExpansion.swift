public import Corpora
public import InductionHeads

/// The loss of a GIH transformer to first order in a.
///
///     L = L(0) − a Σ_{ω,q} k(ω,q) B(ω,q) + O(a²),
///
/// with a symmetric matrix B that depends on the data alone. Rates of selection and copying are
/// sums of it: with one-hot attention Σ_{ω_S = q_S} B(ω,q) is the modified information Ĩ(S).
///
/// In infinite context B = E_π Σ_e μ(q,e) (μ(ω,e) − μ(e) μ(ω))/(μ(e) + ε), for a sequence
/// Σ_e π_e (N(ω,e) − (N_e/n) N(ω))/(N_e + ε n) at its own q, n being the positions it reads; only the
/// symmetric part matters, because k is symmetric (derived).
public struct SmallScaleExpansion: Sendable {
  /// The distinct windows.
  public let windows: WindowTable
  /// B, shape (windows, windows), symmetric.
  public let matrix: [Double]

  /// The most windows for which the matrix is made.
  public static let mostWindows = 1024

  /// Expands the loss of an objective.
  ///
  /// - Parameter objective: its windows are full, and at most ``mostWindows``; its model has the paper's form.
  public init?(_ objective: GIHObjective) {
    guard objective.model.isPaperForm, let floor = objective.model.loss.floor else { return nil }
    switch objective.data {
    case .corpus(let corpus):
      let table = corpus.windows
      guard table.count <= Self.mostWindows, table.isFull else { return nil }
      self.init(table, Self.matrix(corpus, floor: floor))
    case .population(let law):
      guard law.windows.count <= Self.mostWindows else { return nil }
      self.init(law.windows, Self.matrix(law, floor: floor))
    }
  }

  private init(_ windows: WindowTable, _ matrix: [Double]) {
    self.windows = windows
    let n = windows.count
    var symmetric = matrix
    for i in 0..<n {
      for j in 0..<n { symmetric[i * n + j] = (matrix[i * n + j] + matrix[j * n + i]) / 2 }
    }
    self.matrix = symmetric
  }

  /// A wrong expansion, for tests of claims that must fail.
  package func scaled(by factor: Double) -> SmallScaleExpansion {
    SmallScaleExpansion(windows, matrix.map { factor * $0 })
  }

  private static func matrix(_ law: PopulationLaw, floor: Double) -> [Double] {
    let n = law.windows.count
    let d = law.windows.shape.vocabulary
    var matrix = [Double](repeating: 0, count: n * n)
    var excess = [Double](repeating: 0, count: n)
    let mean = 1 / Double(law.chainCount)
    for chain in 0..<law.chainCount {
      let joint = law.joint[chain * d * n..<(chain + 1) * d * n]
      let start = joint.startIndex
      var ofWindow = [Double](repeating: 0, count: n)
      for e in 0..<d { for w in 0..<n { ofWindow[w] += joint[start + e * n + w] } }
      for e in 0..<d {
        let row = start + e * n
        var token = 0.0
        for w in 0..<n { token += joint[row + w] }
        if token == 0 { continue }
        for w in 0..<n { excess[w] = joint[row + w] - token * ofWindow[w] }
        for q in 0..<n {
          let factor = mean * joint[row + q] / (token + floor)
          if factor == 0 { continue }
          for w in 0..<n { matrix[q * n + w] += factor * excess[w] }
        }
      }
    }
    return matrix
  }

  private static func matrix(_ corpus: CompressedCorpus, floor: Double) -> [Double] {
    let n = corpus.windows.count
    var matrix = [Double](repeating: 0, count: n * n)
    let mean = 1 / Double(corpus.sequenceCount)
    for group in corpus.groups {
      for s in group.sequences {
        let entries = corpus.entryOffsets[s]..<corpus.entryOffsets[s + 1]
        let positions = entries.reduce(0.0) { $0 + Double(corpus.entryCounts[$1]) }
        for column in 0..<corpus.columns {
          let weight = corpus.targetWeights[s * corpus.columns + column]
          if weight == 0 { continue }
          let hits = entries.reduce(0.0) {
            $0 + Double(corpus.entryTargetCounts[$1 * corpus.columns + column])
          }
          let factor = mean * weight / (hits + floor * positions)
          for e in entries {
            let slot = Int(corpus.entrySlots[e])
            let window =
              group.isDense ? slot : Int(corpus.keyWindows[group.keys.lowerBound + slot])
            matrix[group.query * n + window] +=
              factor
              * (Double(corpus.entryTargetCounts[e * corpus.columns + column])
                - hits / positions * Double(corpus.entryCounts[e]))
          }
        }
      }
    }
    return matrix
  }

  /// Ĩ_σ(S) = Σ_{ω,q} B(ω,q) ∏_{h∈S} g^h(ω,q) for all subsets; Ĩ(S) where attention is one-hot.
  ///
  /// - Parameters:
  ///   - subsets: heads, from 0.
  ///   - model: says which lags a head sees.
  ///   - attention: σ^h over the lags of each head.
  /// - Returns: one value per subset.
  public func informations(
    of subsets: [[Int]], in model: GIHTransformer, attention: [[Double]]
  ) -> [Double] {
    let n = windows.count
    let columns = model.heads.map { self.columns(of: $0) }
    var sums = [Double](repeating: 0, count: subsets.count)
    var overlap = [Double](repeating: 0, count: model.heads.count)
    for q in 0..<n {
      for w in 0..<n {
        for h in model.heads.indices {
          var g = 0.0
          for (i, column) in columns[h].enumerated() where attention[h][i] > 0 {
            for (j, other) in columns[h].enumerated()
            where windows[w, column] == windows[q, other] {
              g += attention[h][i] * attention[h][j]
            }
          }
          overlap[h] = g
        }
        let b = matrix[q * n + w]
        for (s, subset) in subsets.enumerated() {
          sums[s] += subset.reduce(b) { $0 * overlap[$1] }
        }
      }
    }
    return sums
  }

  /// F(i,j) = Σ_{ω,q} B(ω,q) 1[ω_i = q_j] ∏_{h'} 1[ω = q at the own lag of h'], over lags i, j of
  /// a head and the other heads of a subset.
  ///
  /// - Parameters:
  ///   - head: the head h, from 0.
  ///   - others: the other heads of the subset.
  ///   - model: says which lags a head sees.
  /// - Returns: shape (lags of h, lags of h), symmetric.
  public func matching(
    head: Int, others: [Int], in model: GIHTransformer
  ) -> [[Double]] {
    let n = windows.count
    let own = others.map { column(ofLag: model.heads[$0].ownLag) }
    let columns = self.columns(of: model.heads[head])
    var result = columns.map { _ in columns.map { _ in 0.0 } }
    for q in 0..<n {
      for w in 0..<n where own.allSatisfy({ windows[w, $0] == windows[q, $0] }) {
        for (i, column) in columns.enumerated() {
          for (j, other) in columns.enumerated() where windows[w, column] == windows[q, other] {
            result[i][j] += matrix[q * n + w]
          }
        }
      }
    }
    return result
  }

  private func columns(of head: GIHTransformer.Head) -> [Int] {
    head.lags.map { column(ofLag: $0) }
  }

  private func column(ofLag lag: Int) -> Int { windows.shape.lags.firstIndex(of: lag) ?? 0 }
}

extension WindowTable {
  /// Whether no window lacks a token.
  fileprivate var isFull: Bool { symbols.allSatisfy { $0 < shape.vocabulary } }
}
