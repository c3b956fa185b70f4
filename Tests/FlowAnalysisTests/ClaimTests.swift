import Corpora
import FlowAnalysis
import Foundation
import GradientFlow
import InductionHeads
import MarkovChains
import Objectives
import TestSupport
import Testing

@Suite struct ClaimTests {
  static let prior = DirichletPrior(vocabulary: 3, parents: [1, 2], concentration: 1)

  static func model(window: Int = 3, degree: Int = 2, floor: Double = 0) -> GIHTransformer {
    let lags = Array(1...window)
    return GIHTransformer(
      vocabulary: 3, heads: lags.map { GIHTransformer.Head(lags: lags, ownLag: $0) },
      window: window, degree: degree, loss: .logProbability(floor: floor))
  }

  static func population(_ model: GIHTransformer, chains: Int) -> GIHObjective {
    let kernels = (0..<chains).map { prior.chain(seed: 2, index: UInt64($0)) }
    return GIHObjective(
      model: model, population: PopulationLaw(chains: kernels, shape: model.windowShape),
      completeShare: 0.99)
  }

  static func corpus(_ model: GIHTransformer, sequences: Int, length: Int) -> GIHObjective {
    let sampler = SequenceSampler(source: .prior(prior), start: .stationary, seed: 4)
    return GIHObjective(
      model: model,
      corpus: CompressedCorpus(
        SampledSequences(sampler, count: sequences, length: length), shape: model.windowShape,
        targets: .sampled), length: length)
  }

  /// A three-stage flow and the evidence about it.
  static let threeStages: Evidence = {
    let model = Self.model()
    let objective = Self.population(model, chains: 60)
    let problem = FlowProblem(
      minimizing: objective,
      from: model.initialParameters(ownWeight: 5, otherWeight: 0, scale: 0.01),
      stages: [
        Stage(name: "selection", training: ["c"], until: 1e5),
        Stage(name: "copying", training: ["w"], until: 1e8),
        Stage(name: "classification", training: ["a"], until: 1e5),
      ])
    return solved(objective, problem)
  }()

  static func solved(_ objective: GIHObjective, _ problem: FlowProblem) -> Evidence {
    let options = SolverOptions(eventErrors: false)
    let schedule = SampleSchedule(first: 1, perDecade: 20)
    guard
      let trajectory = try? FlowSolver(options: options).solve(problem, sampling: schedule)
    else { preconditionFailure("the flow can be solved") }
    var evidence = Evidence(
      objective, trajectory, options: options, concentration: 1, comparison: objective)
    if let reduced = evidence.reducedCopyingProblem() {
      evidence.reducedCopying = try? FlowSolver(options: options).solve(reduced, sampling: schedule)
    }
    return evidence
  }

  @Test(arguments: [
    Claim.information, .conservation, .selectionRate, .selectionTime, .copying, .classifierGrowth,
    .limitModel,
  ])
  func aThreeStageFlowHoldsTheClaim(claim: Claim) {
    let findings = Self.threeStages.findings(of: claim)
    #expect(!findings.isEmpty)
    for finding in findings { #expect(finding.verdict == .holds, "\(finding)") }
  }

  @Test func whatDoesNotApplySaysWhy() {
    for claim in [Claim.finiteOptimum, .order, .bystanders] {
      for finding in Self.threeStages.findings(of: claim) {
        #expect(finding.reason?.isEmpty == false)
      }
    }
  }

  /// With 1 − p_S* = 5e-4 head 3 has something to follow, and half of it is rejected.
  @Test func headsOutsideMoveAsTheODESays() {
    let model = Self.model()
    let objective = Self.population(model, chains: 60)
    var start = model.initialParameters(
      coefficient: 0.01, ownWeight: 5, otherWeight: 0, scale: 0.01)
    start[3] = 1
    let evidence = Self.solved(
      objective,
      FlowProblem(
        minimizing: objective, from: start,
        stages: [Stage(name: "copying", training: ["w"], until: 1e7)]))
    let findings = evidence.findings(of: .bystanders)
    #expect(findings.count == 1)
    for finding in findings {
      #expect(finding.verdict == .holds, "\(finding)")
      #expect(rejects(finding, derived: finding.derived / 2))
    }
  }

  /// At a = 2 the first order is not the law.
  @Test func aLargeScaleIsNotJudged() {
    let model = Self.model()
    let objective = Self.population(model, chains: 20)
    let evidence = Self.solved(
      objective,
      FlowProblem(
        minimizing: objective,
        from: model.initialParameters(ownWeight: 5, otherWeight: 0, scale: 2),
        stages: [
          Stage(name: "selection", training: ["c"], until: 1e4),
          Stage(name: "copying", training: ["w"], until: 1e4),
        ]))
    for finding in evidence.findings(of: .copying) { #expect(finding.verdict != .holds) }
    for finding in evidence.findings(of: .selectionRate) where finding.reason == nil {
      #expect(finding.modelError > 0.05 * finding.derived)
    }
  }

  // MARK: - Claims can fail

  private func rejects(_ finding: Finding, derived: Double) -> Bool {
    Finding(
      finding.claim, finding.statement, derived: derived, measured: finding.measured,
      uncertainty: finding.uncertainty, modelError: finding.modelError
    ).verdict == .rejected
  }

  /// A wrong expansion behind the claims, not only a wrong number beside them.
  @Test(arguments: [0.5, 2.0]) func aWrongExpansionIsRejected(factor: Double) {
    var evidence = Self.threeStages
    evidence.expansion = evidence.expansion?.scaled(by: factor)
    for claim in [Claim.selectionRate, .selectionTime] {
      let findings = evidence.findings(of: claim)
      #expect(!findings.isEmpty)
      for finding in findings { #expect(finding.verdict == .rejected, "\(finding)") }
    }
  }

  /// I in place of Ĩ, and the factor 2 of the rate dropped.
  @Test func aWrongRateOfSelectionIsRejected() {
    let evidence = Self.threeStages
    guard case .population(let law) = evidence.objective.data else { return }
    let model = evidence.objective.model
    let subsets = model.coefficientSubsets
    var measures = InformationMeasures(
      vocabulary: 3, parents: [1, 2], lagSets: subsets.map { $0.map { $0 + 1 } })
    var standard = subsets.map { _ in 0.0 }
    for chain in law.chains {
      for (i, value) in measures.measure(chain).enumerated() {
        standard[i] += value.standard / Double(law.chainCount)
      }
    }
    let best = 3  // {1,2}, after {1}, {2}, {3}
    let others = subsets.indices.filter { $0 != best }
    let findings = evidence.findings(of: .selectionRate)
    #expect(findings.count == others.count)
    for (finding, other) in zip(findings, others) {
      #expect(rejects(finding, derived: 2 * 0.01 * (standard[best] - standard[other])))
      #expect(rejects(finding, derived: finding.derived / 2))
    }
    for finding in evidence.findings(of: .selectionTime) {
      #expect(rejects(finding, derived: 2 * finding.derived))
    }
  }

  /// The arithmetic mean of the gaps in place of the harmonic one.
  @Test func aWrongPrefactorOfCopyingIsRejected() throws {
    // A persistent chain: lag 2 is nearly as good as lag 1, so the gaps differ.
    let model = Self.model(window: 4, degree: 1)
    let rows = (0..<9).map { $0 % 4 == 0 ? 0.8 : 0.1 }
    let chain = NGramChain(vocabulary: 3, parents: [1], rows: rows)
    let objective = GIHObjective(
      model: model, population: PopulationLaw(chains: [chain], shape: model.windowShape))
    let (a, time) = (1e-3, 1e13)
    var start = model.limitParameters(of: [0], scale: a)
    let n = model.coefficientSubsets.count
    for j in n..<start.count - 1 { start[j] = start[j] > 0 ? 5 : 0 }
    let evidence = Self.solved(
      objective,
      FlowProblem(
        minimizing: objective, from: start,
        stages: [Stage(name: "copying", training: ["w"], until: time)]))
    let problem = try #require(evidence.reducedCopyingProblem())
    let reduced = try #require(problem.objective as? ReducedCopying)
    let findings = evidence.findings(of: .copying)
    let asymptotes = findings.filter { $0.statement.contains("asymptote") }
    #expect(asymptotes.count == 1)
    for (head, finding) in zip([0], asymptotes) {
      let matrix = reduced.matrices[head]
      let gaps = (0..<4).filter { $0 != head }.map { matrix[head][head] - matrix[head][$0] }
      let harmonic = gaps.reduce(0) { $0 + 1 / $1 } / (2 * a * 4 * time)
      #expect(abs(finding.derived / harmonic - 1) < 1e-12)
      let arithmetic = 9 / gaps.reduce(0, +) / (2 * a * 4 * time)
      #expect(finding.verdict == .holds, "\(finding)")
      #expect(rejects(finding, derived: arithmetic), "\(finding), \(arithmetic), \(gaps)")
    }
    for finding in findings where finding.statement.contains("ODE") {
      #expect(finding.verdict == .holds, "\(finding)")
      #expect(rejects(finding, derived: 2 * finding.derived))
    }
  }

  // MARK: - The constants behind the claims

  /// −∂_a L at a = 0 is Σ_S p_S Ĩ_σ(S), in infinite and in finite context.
  @Test func theExpansionIsTheSlopeInTheScale() throws {
    let model = Self.model(floor: 1e-4)
    for objective in [
      Self.population(model, chains: 9), Self.corpus(model, sequences: 40, length: 25),
    ] {
      var random = SeededRandom(3)
      var theta = (0..<model.layout.count).map { _ in random.normal() }
      theta[theta.count - 1] = 0
      let gradient = objective.makeEvaluator(threads: 1).lossAndGradient(at: theta).gradient
      let subsets = model.coefficientSubsets
      let total = theta[..<subsets.count].reduce(0) { $0 + $1 * $1 }
      let attention = (0..<3).map { head -> [Double] in
        let powers = (0..<3).map { exp(theta[subsets.count + 3 * head + $0]) }
        return powers.map { $0 / powers.reduce(0, +) }
      }
      let expansion = try #require(SmallScaleExpansion(objective))
      let values = expansion.informations(of: subsets, in: model, attention: attention)
      let slope = zip(theta, values).reduce(0) { $0 + $1.0 * $1.0 / total * $1.1 }
      #expect(abs(slope / -gradient[theta.count - 1] - 1) < 1e-11)
    }
  }

  /// With p_S* = 1 and the other heads one-hot, ∇_w L = a ∇_w of the reduced loss, to first order.
  @Test func theGapODEIsTheFlowToFirstOrder() throws {
    let model = Self.model()
    let objective = Self.population(model, chains: 9)
    let expansion = try #require(SmallScaleExpansion(objective))
    let n = model.coefficientSubsets.count
    let shares = model.coefficientSubsets.map { $0 == [0, 1] ? 1.0 : 0 }
    let a = 1e-6
    let reduced = ReducedCopying(model, expansion, shares: shares, scale: a)
    var theta = model.limitParameters(of: [0, 1], scale: a)
    for (j, weight) in [0.4, -0.3, 0.9].enumerated() { theta[n + j] = weight }
    let full = objective.makeEvaluator(threads: 1).lossAndGradient(at: theta).gradient
    let weights = Array(theta[n..<theta.count - 1])
    let evaluator = reduced.makeEvaluator(threads: 1)
    let own = evaluator.lossAndGradient(at: weights).gradient
    for j in 0..<3 { #expect(abs(full[n + j] - own[j]) < 1e-4 * a) }
    #expect(own[0..<3].contains { abs($0) > 1e-3 * a })
    // Hessian and products of the reduced flow against central differences.
    let softer = weights.map { $0 / 800 + 0.1 }
    let matrix = evaluator.hessian(at: softer)
    for i in softer.indices {
      var (up, down) = (softer, softer)
      up[i] += 1e-5
      down[i] -= 1e-5
      var unit = softer.map { _ in 0.0 }
      unit[i] = 1
      let product = evaluator.hessianVectorProduct(at: softer, direction: unit)
      let (high, low) = (
        evaluator.lossAndGradient(at: up).gradient, evaluator.lossAndGradient(at: down).gradient
      )
      for j in softer.indices {
        #expect(abs(matrix[i * 9 + j] - (high[j] - low[j]) / 2e-5) < 1e-9 * a)
        #expect(product[j] == matrix[j * 9 + i])
      }
    }
  }

  /// The limit model's closed form against the objective at one-hot parameters.
  @Test(arguments: [0.0, 1e-4], [false, true])
  func theLimitSlopeIsThatOfTheObjective(floor: Double, hasZeros: Bool) {
    let model = Self.model(floor: floor)
    var zeros = [0.5, 0.5, 0]
    for _ in 1..<9 { zeros += [0.1, 0.2, 0.7] }
    let objective =
      hasZeros
      ? GIHObjective(
        model: model,
        population: PopulationLaw(
          chains: [NGramChain(vocabulary: 3, parents: [1, 2], rows: zeros)],
          shape: model.windowShape))
      : Self.population(model, chains: 9)
    let trajectory = Self.threeStages.trajectory
    let evidence = Evidence(
      objective, trajectory, options: SolverOptions(), concentration: nil, comparison: nil)
    for a in [0.5, 3, 7.0] {
      let theta = model.limitParameters(of: [0, 1], scale: a)
      let slope = -objective.makeEvaluator(threads: 1).lossAndGradient(at: theta).gradient[
        theta.count - 1]
      #expect(abs(evidence.limitSlope(lags: [1, 2], at: a) / slope - 1) < 1e-9)
    }
  }

  // MARK: - Finite context

  @Test func theScaleRestsAtTheZeroOfItsSlope() {
    let model = Self.model(floor: 1e-6)
    let objective = Self.corpus(model, sequences: 300, length: 60)
    let limit = model.limitParameters(of: [0, 1], scale: 0.01)
    let problem = FlowProblem(
      minimizing: objective, from: limit,
      stages: [Stage(name: "classification", training: ["a"], until: 1e6)])
    let findings = Self.solved(objective, problem).findings(of: .finiteOptimum)
    #expect(findings.count == 1)
    for finding in findings {
      #expect(finding.verdict == .holds, "\(finding)")
      #expect(rejects(finding, derived: finding.derived * 1.00001))
    }
    let short = FlowProblem(
      minimizing: objective, from: limit,
      stages: [Stage(name: "classification", training: ["a"], until: 10)])
    let unfinished = Self.solved(objective, short).findings(of: .finiteOptimum)
    #expect(unfinished.allSatisfy { $0.reason?.contains("rest") == true })
  }
}
