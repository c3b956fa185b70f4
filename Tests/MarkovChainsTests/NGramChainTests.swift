import MarkovChains
import Testing

@Suite struct NGramChainTests {
  @Test func windowsAreNumberedNewestTokenLast() {
    // Window of length 3 over d = 3 with z₋₁ = 2, z₋₂ = 0, z₋₃ = 1: digits "102" in base 3.
    let window = 1 * 9 + 0 * 3 + 2
    #expect(Windows.projection(vocabulary: 3, length: 3, lags: [1])[window] == 2)
    #expect(Windows.projection(vocabulary: 3, length: 3, lags: [3])[window] == 1)
    #expect(Windows.projection(vocabulary: 3, length: 3, lags: [1, 3])[window] == 2 + 3 * 1)
    #expect(Windows.projection(vocabulary: 3, length: 3, lags: [1, 2, 3])[window] == window)
    #expect(Windows.projection(vocabulary: 3, length: 3, lags: []).allSatisfy { $0 == 0 })
  }

  @Test func rowsFollowTheTokensAtTheParents() {
    let rows = [Double](repeating: 1.0 / 3, count: 27)
    let chain = NGramChain(vocabulary: 3, parents: [2, 5], rows: rows)
    let tokens: [UInt8] = [2, 0, 1, 1, 0, 2]
    #expect(chain.memory == 5)
    #expect(chain.row(at: 5, of: tokens.span) == 1 + 3 * 2)
    #expect(chain.row(at: 6, of: tokens.span) == 0 + 3 * 0)
  }

  @Test(arguments: [1e-8, 1e-4, 0.05, 0.1, 1, 1e4, 1e8], [2, 3, 256])
  func drawnRowsAreProbabilityVectors(concentration: Double, vocabulary: Int) {
    let prior = DirichletPrior(
      vocabulary: vocabulary, parents: [1], concentration: concentration)
    for index in 0..<UInt64(vocabulary == 256 ? 2 : 300) {
      let chain = prior.chain(seed: 1, index: index)
      for row in 0..<chain.rowCount {
        let law = chain.law(ofRow: row)
        #expect(law.allSatisfy { $0 >= 0 && $0 <= 1 })
        // Each entry carries half an ulp of itself, the running sum half an ulp per addition.
        #expect(abs(law.reduce(0, +) - 1) <= Double(vocabulary + 2) * 0x1p-53)
      }
    }
  }

  /// Mean 1/d and variance (d − 1)/(d² (dα + 1)) of each entry.
  @Test(arguments: [0.05, 0.1, 1, 10])
  func entriesHaveTheMomentsOfTheDirichletLaw(concentration α: Double) {
    let prior = DirichletPrior(vocabulary: 3, parents: [1, 2], concentration: α)
    let count = 2000
    let entries = (0..<UInt64(count)).map { prior.chain(seed: 5, index: $0).rows }
    let rows = Double(count * 9)
    let variance = 2.0 / 9 / (3 * α + 1)
    for token in 0..<3 {
      let values = entries.flatMap { rows in (0..<9).map { rows[$0 * 3 + token] } }
      let mean = values.reduce(0, +) / rows
      #expect(abs(mean - 1.0 / 3) < 4 * (variance / rows).squareRoot())
      let spread = values.reduce(0) { $0 + ($1 - 1.0 / 3) * ($1 - 1.0 / 3) } / rows
      // A squared deviation in [0, 4/9] of mean v has variance at most (4/9 − v) v.
      #expect(abs(spread - variance) < 4 * ((4.0 / 9 - variance) * variance / rows).squareRoot())
    }
  }

  @Test func aChainDependsOnItsIndexAlone() {
    let prior = DirichletPrior(vocabulary: 3, parents: [1, 2], concentration: 0.1)
    let forward = (0..<20).map { prior.chain(seed: 9, index: $0) }
    let backward = (0..<20).reversed().map { prior.chain(seed: 9, index: $0) }
    #expect(forward == backward.reversed())
    #expect(Set(forward.map { $0.rows[0] }).count == 20)
    #expect(prior.chain(seed: 10, index: 0) != forward[0])
  }
}
