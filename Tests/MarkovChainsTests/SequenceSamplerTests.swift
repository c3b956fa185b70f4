import Foundation
import MarkovChains
import Testing

@Suite struct SequenceSamplerTests {
  let prior = DirichletPrior(vocabulary: 3, parents: [1, 2], concentration: 0.1)

  func sequence(
    _ sampler: SequenceSampler, _ index: UInt64, count: Int,
    _ workspace: inout SequenceSampler.Workspace
  ) -> [UInt8] {
    var tokens = [UInt8](repeating: 255, count: count)
    var span = tokens.mutableSpan
    sampler.sample(index, into: &span, using: &workspace)
    return tokens
  }

  @Test(arguments: [SequenceSampler.Start.stationary, .uniform])
  func aSequenceDependsOnItsIndexAlone(start: SequenceSampler.Start) {
    let sampler = SequenceSampler(source: .prior(prior), start: start, seed: 21)
    var workspace = sampler.makeWorkspace()
    let all = (0..<30).map { sequence(sampler, $0, count: 101, &workspace) }
    for index in [29, 3, 17, 0] {
      var fresh = sampler.makeWorkspace()
      #expect(sequence(sampler, UInt64(index), count: 101, &fresh) == all[index])
      #expect(fresh.chain == prior.chain(seed: 21, index: UInt64(index)))
      // A longer sequence begins with the same tokens, a shorter one, too.
      #expect(sequence(sampler, UInt64(index), count: 150, &fresh).prefix(101) == all[index][...])
      #expect(sequence(sampler, UInt64(index), count: 1, &fresh) == [all[index][0]])
    }
    // Some chains have a token that repeats itself almost surely; the others differ.
    #expect(Set(all).count > 20)
  }

  /// The kernels are those of the kernel stream whatever happens to the tokens.
  @Test func kernelsDoNotDependOnTokens() {
    var kernels: [[NGramChain]] = []
    for start in [SequenceSampler.Start.stationary, .uniform] {
      for length in [10, 200] {
        let sampler = SequenceSampler(source: .prior(prior), start: start, seed: 22)
        var workspace = sampler.makeWorkspace()
        kernels.append(
          (0..<10 as Range<UInt64>).map { index in
            _ = sequence(sampler, index, count: length, &workspace)
            return workspace.chain
          })
      }
    }
    #expect(Set(kernels.map { $0.map { $0.rows[0] } }).count == 1)
  }

  /// The documented recipe, written out: r_n uniform tokens, then one variate per token.
  @Test func tokensAreTheirStreamInverted() {
    let chain = DirichletPrior(vocabulary: 3, parents: [1, 3], concentration: 1)
      .chain(seed: 30, index: 0)
    let sampler = SequenceSampler(source: .chain(chain), start: .uniform, seed: 31)
    var workspace = sampler.makeWorkspace()
    let tokens = sequence(sampler, 5, count: 100, &workspace)
    var stream = RandomStream(seed: 31, purpose: .tokens, index: 5)
    for t in tokens.indices {
      let u = stream.uniform()
      var expected = Int(3 * u)
      if t >= 3 {
        let law = chain.rows[(Int(tokens[t - 1]) + 3 * Int(tokens[t - 3])) * 3..<chain.rows.count]
        expected = 0
        var sum = law.first ?? 0
        while u > sum {
          expected += 1
          sum += law[law.startIndex + expected]
        }
      }
      #expect(Int(tokens[t]) == expected)
    }
  }

  /// Row 0 of a chain, from the kernel stream: d logarithms of U^{1/α}, then d other factors.
  @Test func kernelsComeFromTheKernelStream() {
    let row = prior.chain(seed: 32, index: 6).law(ofRow: 0)
    var stream = RandomStream(seed: 32, purpose: .kernels, index: 6)
    let gamma = GammaLaw(shape: 0.1)
    let boosts = (0..<3).map { _ in stream.logBoost(gamma) }
    let weights = boosts.map { exp($0) * stream.gammaFactor(gamma) }
    for (p, weight) in zip(row, weights) {
      #expect(abs(p / (weight / weights.reduce(0, +)) - 1) < 1e-12)
    }
  }

  /// One stationary chain of many short sequences: pairs at the start and the end alike.
  @Test func shortSequencesAreStationary() {
    let chain = DirichletPrior(vocabulary: 3, parents: [1, 2], concentration: 0.5)
      .chain(seed: 23, index: 0)
    let sampler = SequenceSampler(source: .chain(chain), start: .stationary, seed: 24)
    var workspace = sampler.makeWorkspace()
    let n = 40_000
    var first = [Double](repeating: 0, count: 9)
    var last = first
    for index in 0..<UInt64(n) {
      let x = sequence(sampler, index, count: 7, &workspace)
      first[Int(x[0]) * 3 + Int(x[1])] += 1
      last[Int(x[5]) * 3 + Int(x[6])] += 1
    }
    let law = chain.windowLaw(length: 2).probabilities
    #expect(chiSquare(first, law) < 26.1)  // 8 degrees of freedom: .999 quantile
    #expect(chiSquare(last, law) < 26.1)
    // The check notices a law that is off by what a uniform start would do.
    #expect(chiSquare(last, [Double](repeating: 1.0 / 9, count: 9)) > 26.1)
  }

  @Test(
    arguments: [([1], 3), ([1, 2], 3), ([1, 3], 3), ([2], 2), ([1], 4), ([1, 2], 5), ([1], 40)])
  func transitionsFollowTheKernel(parents: [Int], vocabulary: Int) {
    let chain = DirichletPrior(vocabulary: vocabulary, parents: parents, concentration: 1)
      .chain(seed: 25, index: 0)
    let sampler = SequenceSampler(source: .chain(chain), start: .uniform, seed: 26)
    var workspace = sampler.makeWorkspace()
    let tokens = sequence(sampler, 0, count: 200_000, &workspace)
    #expect(tokens.allSatisfy { Int($0) < vocabulary })
    var counts = [Double](repeating: 0, count: chain.rows.count)
    for t in chain.memory..<tokens.count {
      counts[chain.row(at: t, of: tokens.span) * vocabulary + Int(tokens[t])] += 1
    }
    // Entries expected less than five times are pooled; each row's statistic is near its degrees
    // of freedom, and their sum within four standard deviations.
    var statistic = 0.0
    var freedom = 0.0
    for row in 0..<chain.rowCount {
      let range = row * vocabulary..<(row + 1) * vocabulary
      let total = counts[range].reduce(0, +)
      let often = range.filter { total * chain.rows[$0] >= 5 }
      guard often.count > 1 else { continue }
      for i in often {
        let expected = total * chain.rows[i]
        statistic += (counts[i] - expected) * (counts[i] - expected) / expected
      }
      freedom += Double(often.count) - 1
    }
    #expect(statistic < freedom + 4 * (2 * freedom).squareRoot() + 8)
  }

  @Test func impossibleTokensNeverAppear() {
    // The sum of the first two entries rounds to less than one; the third is impossible.
    let rows = [0.1, 0.9, 0, 0.3, 0.7 - 0x1p-51, 0, 0.5, 0, 0.5]
    let chain = NGramChain(vocabulary: 3, parents: [1], rows: rows)
    let sampler = SequenceSampler(source: .chain(chain), start: .stationary, seed: 27)
    var workspace = sampler.makeWorkspace()
    #expect(!sequence(sampler, 0, count: 1000, &workspace).contains(2))
    // The largest variate, 2⁵³ − 1, still finds a token of positive probability.
    for row in 0..<3 {
      var thresholds = [UInt64](repeating: 0, count: 9)
      cumulate(rows, row * 3..<row * 3 + 3, &thresholds)
      let token = thresholds[row * 3..<row * 3 + 3].prefix { $0 <= (1 << 53) - 1 }.count
      #expect(rows[row * 3 + token] > 0)
    }
  }

  @Test func aUniformStartIsUniform() {
    let sampler = SequenceSampler(source: .prior(prior), start: .uniform, seed: 28)
    var workspace = sampler.makeWorkspace()
    var counts = [Double](repeating: 0, count: 9)
    for index in 0..<20_000 as Range<UInt64> {
      let x = sequence(sampler, index, count: 2, &workspace)
      counts[Int(x[0]) * 3 + Int(x[1])] += 1
    }
    #expect(chiSquare(counts, [Double](repeating: 1.0 / 9, count: 9)) < 26.1)
  }

  @Test func nearlyDeterministicPriorsAreSampled() {
    let extreme = DirichletPrior(vocabulary: 3, parents: [1, 2], concentration: 1e-8)
    let sampler = SequenceSampler(source: .prior(extreme), start: .stationary, seed: 29)
    var workspace = sampler.makeWorkspace()
    for index in 0..<50 as Range<UInt64> {
      let tokens = sequence(sampler, index, count: 50, &workspace)
      // Every row is one-hot, and the start is on a cycle: the sequence repeats itself.
      #expect(tokens.allSatisfy { $0 < 3 })
      #expect((1...9).contains { period in tokens.dropFirst(period) == tokens.dropLast(period) })
    }
  }

  func chiSquare(_ counts: [Double], _ law: [Double]) -> Double {
    let n = counts.reduce(0, +)
    return zip(counts, law).reduce(0) {
      $0 + ($1.0 - n * $1.1) * ($1.0 - n * $1.1) / (n * $1.1)
    }
  }
}
