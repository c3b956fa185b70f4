import CVODE
import Corpora
import Foundation
import GradientFlow
import InductionHeads
import MarkovChains
import Objectives
import Testing

/// The sampled three-stage run of the GIH paper's size, over sixteen data sets.
@Suite(.serialized) struct PaperRunTests {
  static func problem(seed: UInt64) -> FlowProblem {
    let heads = (1...3).map { GIHTransformer.Head(lags: [1, 2, 3], ownLag: $0) }
    let model = GIHTransformer(
      vocabulary: 3, heads: heads, window: 3, degree: 2, lossFloor: 1e-6)
    let prior = DirichletPrior(vocabulary: 3, parents: [1, 2], concentration: 0.1)
    let source = SampledSequences(
      SequenceSampler(source: .prior(prior), start: .stationary, seed: seed), count: 10_000,
      length: 100)
    let corpus = CompressedCorpus(source, shape: model.windowShape, targets: .sampled)
    return FlowProblem(
      minimizing: GIHObjective(model: model, corpus: corpus, length: 100),
      from: model.initialParameters(ownWeight: 3, otherWeight: 0, scale: 0.01),
      stages: [
        Stage(name: "selection", training: ["c"], until: 1e5),
        Stage(name: "copying", training: ["w"], until: 1e5),
        Stage(name: "classification", training: ["a"], until: 1e5),
      ])
  }

  @Test func sixteenDataSets() throws {
    let clock = ContinuousClock()
    for seed in UInt64(1)...16 {
      var problem: FlowProblem?
      let build = clock.measure { problem = Self.problem(seed: seed) }
      guard let problem else { return }
      var trajectory: Trajectory?
      let time = try clock.measure {
        trajectory = try FlowSolver().solve(
          problem, sampling: SampleSchedule(first: 1e-2, perDecade: 20))
      }
      guard let t = trajectory else { return }
      let s = t.stages
      print(
        seed, build, time, t.parameters.last!, s.last!.lossAtEnd, s.map { $0.statistics.steps },
        s.map { $0.statistics.derivativeEvaluations }, s.map { $0.statistics.jacobianEvaluations },
        s.map { $0.dissipation / ($0.lossAtStart - $0.lossAtEnd) - 1 }, s.map(\.largestRise),
        t.values(of: "share.1+2")!.last!, t.values(of: "attention.1.1")!.last!,
        t.values(of: "attention.2.2")!.last!)
      if seed == 1 { for e in t.events { print(e.name, e.time, e.error ?? -1, e.isReached) } }
    }
  }
}
