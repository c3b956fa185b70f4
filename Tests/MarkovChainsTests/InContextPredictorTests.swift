import Foundation
import MarkovChains
import Testing

@Suite struct InContextPredictorTests {
  @Test func countsWhatFollowedTheSameParents() {
    let predictor = InContextPredictor(vocabulary: 3, parents: [1, 3], concentration: 0.5)
    // The target, at position 7 from 0, has the parents 2 (lag 1) and 0 (lag 3); so has position 3, with token 1.
    let tokens: [UInt8] = [0, 1, 2, 1, 0, 0, 2, 1]
    #expect(predictor.law(of: tokens.span) == [0.5 / 2.5, 1.5 / 2.5, 0.5 / 2.5])
  }

  @Test func withoutAMatchItIsUniform() {
    let predictor = InContextPredictor(vocabulary: 4, parents: [2], concentration: 0.1)
    let tokens: [UInt8] = [0, 1, 3]
    #expect(predictor.law(of: tokens.span).allSatisfy { abs($0 - 0.25) < 1e-15 })
  }

  /// Averaged over chains from the prior, no other pseudo-count predicts better than the prior's own.
  @Test func noOtherPseudoCountIsBetter() {
    let prior = DirichletPrior(vocabulary: 3, parents: [1], concentration: 0.4)
    let sampler = SequenceSampler(source: .prior(prior), start: .uniform, seed: 9)
    var workspace = sampler.makeWorkspace()
    var tokens = [UInt8](repeating: 0, count: 13)
    var losses = [0.1, 0.4, 1.6].map { _ in 0.0 }
    for index in 0..<4000 {
      var span = tokens.mutableSpan
      sampler.sample(UInt64(index), into: &span, using: &workspace)
      let law = workspace.chain.law(ofRow: workspace.chain.row(at: 12, of: tokens.span))
      for (i, alpha) in [0.1, 0.4, 1.6].enumerated() {
        let own = InContextPredictor(vocabulary: 3, parents: [1], concentration: alpha)
          .law(of: tokens.span)
        losses[i] -= zip(law, own).reduce(0) { $0 + $1.0 * log($1.1) }
      }
    }
    #expect(losses[1] < losses[0] && losses[1] < losses[2], "\(losses)")
  }
}
