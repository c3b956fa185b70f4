import Foundation
import MarkovChains
import Testing

@Suite struct InformationMeasuresTests {
  static let subsets = [[1], [2], [3], [1, 2], [1, 3], [2, 3], [1, 2, 3]]

  /// Averages over chains drawn from the prior, with standard errors.
  static func average(concentration: Double, count: Int, seed: UInt64) -> [(
    modified: Double, modifiedError: Double, standard: Double, standardError: Double
  )] {
    let prior = DirichletPrior(vocabulary: 3, parents: [1, 2], concentration: concentration)
    var measures = InformationMeasures(vocabulary: 3, parents: [1, 2], lagSets: subsets)
    var sums = [SIMD4<Double>](repeating: .zero, count: subsets.count)
    for index in 0..<UInt64(count) {
      for (s, value) in measures.measure(prior.chain(seed: seed, index: index)).enumerated() {
        sums[s] += [
          value.modified, value.modified * value.modified, value.standard,
          value.standard * value.standard,
        ]
      }
    }
    let n = Double(count)
    return sums.map { sum in
      let mean = sum / n
      return (
        mean[0], ((mean[1] - mean[0] * mean[0]) / n).squareRoot(),
        mean[2], ((mean[3] - mean[2] * mean[2]) / n).squareRoot()
      )
    }
  }

  /// Averages of an independent program: numpy 2.4.6 with its own gamma variates and elimination,
  /// 400 000 chains; its standard errors are .22 of those of 20 000 chains.
  struct Reference: Sendable, CustomTestStringConvertible {
    let concentration: Double
    let modified: [Double]
    let standard: [Double]
    /// An older table, 20 000 chains, with its standard error.
    let table: (modified: [Double], error: Double)
    var testDescription: String { "α = \(concentration)" }
  }

  static let references = [
    Reference(
      concentration: 0.1,
      modified: [0.14603, 0.16343, 0.14585, 0.19671, 0.15764, 0.16614, 0.17457],
      standard: [0.59925, 0.6653, 0.5553, 1.28498, 0.94062, 0.99969, 1.28498],
      table: ([0.146, 0.166, 0.147, 0.198, 0.158, 0.168, 0.176], 0.001)),
    Reference(
      concentration: 1,
      modified: [0.04599, 0.04604, 0.01435, 0.06059, 0.02784, 0.0278, 0.03316],
      standard: [0.13938, 0.13955, 0.04281, 0.44172, 0.19337, 0.19343, 0.44172],
      table: ([0.046, 0.045, 0.014, 0.060, 0.028, 0.027, 0.033], 0.003)),
  ]

  @Test(arguments: references)
  func averagesAgreeWithTheReferences(reference: Reference) {
    let averages = Self.average(concentration: reference.concentration, count: 20_000, seed: 1)
    for (s, value) in averages.enumerated() {
      print(
        "α = \(reference.concentration) S = \(Self.subsets[s])",
        String(
          format: "Ĩ = %.4f ± %.4f  I = %.4f ± %.4f", value.modified, value.modifiedError,
          value.standard, value.standardError))
      // √(1 + 1/20) = 1.03 accounts for the reference's own error.
      #expect(abs(value.modified - reference.modified[s]) < 3 * 1.03 * value.modifiedError)
      #expect(abs(value.standard - reference.standard[s]) < 3 * 1.03 * value.standardError)
      let error =
        (value.modifiedError * value.modifiedError
        + reference.table.error * reference.table.error).squareRoot()
      #expect(abs(value.modified - reference.table.modified[s]) < 3 * error)
    }
    // The parents win by Δ = .02: far more than the error, as both averages share their chains.
    let best = averages.map(\.modified).max()
    #expect(best == averages[3].modified)
  }

  /// G from its definition, with conditional laws and a softmax written out.
  @Test func logitsHaveACriterionOfTheirOwn() {
    let prior = DirichletPrior(vocabulary: 3, parents: [1, 2], concentration: 0.3)
    var measures = InformationMeasures(
      vocabulary: 3, parents: [1, 2], lagSets: [[1], [1, 2], []])
    var solver = StationarySolver(vocabulary: 3, parents: [1, 2])
    for index in 0..<5 {
      let chain = prior.chain(seed: 4, index: UInt64(index))
      let values = measures.measure(chain)
      // index = z + 3 z₁ + 9 z₂, z the token and z_i that at lag i.
      let joint = solver.windowLaw(of: chain, length: 3).probabilities
      var token = [0.0, 0, 0]
      for (index, p) in joint.enumerated() { token[index % 3] += p }
      let powers = token.map { exp($0) }
      let softmax = powers.map { $0 / powers.reduce(0, +) }
      func criterion(_ pair: [[Double]]) -> Double {
        var sum = 0.0
        for row in pair {
          let weight = row.reduce(0, +)
          for e in 0..<3 {
            let conditional = row[e] / weight
            sum += weight * weight * (conditional - softmax[e]) * (conditional - token[e])
          }
        }
        return sum
      }
      let both = (0..<9).map { z in (0..<3).map { joint[$0 + 3 * z] } }
      var first = [[Double]](repeating: [0, 0, 0], count: 3)
      for (index, p) in joint.enumerated() { first[index / 3 % 3][index % 3] += p }
      #expect(abs(values[0].logits - criterion(first)) < 1e-15)
      #expect(abs(values[1].logits - criterion(both)) < 1e-15)
      #expect(abs(values[2].logits) < 1e-15)
    }
  }

  @Test func independentTokensCarryNoInformation() {
    let law = [0.5, 0.3, 0.2]
    let chain = NGramChain(
      vocabulary: 3, parents: [1, 2], rows: (0..<9).flatMap { _ in law })
    var measures = InformationMeasures(vocabulary: 3, parents: [1, 2], lagSets: Self.subsets)
    for value in measures.measure(chain) {
      #expect(value.standard >= 0 && value.standard < 1e-30)
      #expect(value.modified >= 0 && value.modified < 1e-30)
    }
  }

  /// x_t = x_{t−1} + 1 mod d: any one lag tells all, I = d − 1, Ĩ = (d − 1)/d.
  @Test func aRotationTellsEverything() {
    let d = 4
    let rows = (0..<d).flatMap { z in (0..<d).map { $0 == (z + 1) % d ? 1.0 : 0.0 } }
    let chain = NGramChain(vocabulary: d, parents: [1], rows: rows)
    var measures = InformationMeasures(
      vocabulary: d, parents: [1], lagSets: [[], [1], [2], [1, 2], [1, 2, 3]])
    let values = measures.measure(chain)
    #expect(values[0].standard == 0)
    #expect(values[0].modified == 0)
    for value in values.dropFirst() {
      #expect(abs(value.standard - Double(d - 1)) < 1e-14)
      // Windows of a rotation have d values whatever their length: no size penalty here.
      #expect(abs(value.modified - Double(d - 1) / Double(d)) < 1e-14)
    }
  }

  /// π(e | z₁, z₂) = q(e − z₁ − z₂ mod 3) leaves pairs uniform.
  @Test func uniformWindowsPayForTheirSize() {
    let q = [0.7, 0.2, 0.1]
    var rows: [Double] = []
    for window in 0..<9 {
      let shift = 6 - window % 3 - window / 3
      for token in 0..<3 { rows.append(q[(token + shift) % 3]) }
    }
    let chain = NGramChain(vocabulary: 3, parents: [1, 2], rows: rows)
    #expect(chain.windowLaw(length: 2).probabilities.allSatisfy { abs($0 - 1.0 / 9) < 1e-15 })
    var measures = InformationMeasures(
      vocabulary: 3, parents: [1, 2], lagSets: [[1], [2], [1, 2]])
    let values = measures.measure(chain)
    #expect(values[0].standard < 1e-30)  // each parent alone says nothing
    #expect(abs(values[2].standard - 0.62) < 1e-14)  // d Σ q² − 1
    for (value, share) in zip(values, [1.0 / 3, 1.0 / 3, 1.0 / 9]) {
      #expect(abs(value.modified - share * value.standard) < 1e-15)
    }
  }

  @Test(arguments: [0.01, 0.1, 1])
  func standardInformationGrowsWithTheSetAndStopsAtTheParents(concentration: Double) {
    let prior = DirichletPrior(vocabulary: 3, parents: [1, 3], concentration: concentration)
    let sets = [[], [1], [1, 2], [1, 3], [1, 2, 3], [1, 2, 3, 4]]
    var measures = InformationMeasures(vocabulary: 3, parents: [1, 3], lagSets: sets)
    for index in 0..<50 as Range<UInt64> {
      let values = measures.measure(prior.chain(seed: 3, index: index)).map(\.standard)
      for (small, large) in [(0, 1), (1, 2), (1, 3), (2, 4), (3, 4)] {
        #expect(values[small] <= values[large] + 1e-12)
      }
      #expect(abs(values[4] - values[3]) < 1e-12)
      #expect(abs(values[5] - values[3]) < 1e-12)
      #expect(values[5] <= 2 + 1e-12)
    }
  }
}
