import FlowAnalysis
import Foundation
import GradientFlow
import InductionHeads
import MarkovChains
import Objectives
import TestSupport
import Testing

@Suite struct TrainingComparisonTests {
  private static let options = SolverOptions(
    relativeTolerance: 1e-10, absoluteTolerance: 1e-12, eventErrors: false)

  /// The two-layer network by gradient descent beside its flow.
  private static func trained(
    _ rates: [Double]
  ) throws -> (TrainingComparison, [(factor: Double, record: TrainingRecord)]) {
    let problem = FlowProblem(
      minimizing: TwoLayers(), from: [0.3, 0.1],
      stages: [Stage(name: "all", training: ["u", "v"], until: 4)])
    let records = rates.map { rate in
      let count = Int((4 / rate).rounded())
      return (
        factor: rate,
        record: DiscreteTraining(
          problem, by: .gradientDescent,
          stages: [.init(rate: rate, count: count, recorded: Array(0...count))]
        ).run(sharpness: true)
      )
    }
    let times = records.flatMap { rate, record in record.samples.map { rate * Double($0.step) } }
    let flow = try FlowSolver(options: options).solve(
      problem, sampling: SampleSchedule(at: [times]))
    return (TrainingComparison(TwoLayers(), flow: flow), records)
  }

  @Test func distancesAreThoseOfTheStates() throws {
    let (comparison, records) = try Self.trained([0.1])
    let record = records[0].record
    let distances = comparison.distances(of: record)
    #expect(distances.count == 41 && distances[0].distance == 0 && distances[0].relative == nil)
    #expect(distances[0].toPath == 0)
    for (distance, sample) in zip(distances, record.samples) {
      let flow = try #require(comparison.sample(at: 0.1 * Double(sample.step), ofStage: 0))
      let (du, dv) = (sample.values[2] - flow.values[2], sample.values[3] - flow.values[3])
      #expect(distance.distance == (du * du + dv * dv).squareRoot())
      #expect(distance.toPath <= (distance.distance ?? 0))
      let observable = abs(sample.values[4] - flow.values[4])
      #expect(distance.observables == [observable])
      let drift = abs(
        sample.values[2] * sample.values[2] - sample.values[3] * sample.values[3] - 0.08)
      #expect(abs(distance.departures[0] - drift) < 1e-15)
    }
    #expect(comparison.largestDistance(of: record) == distances.compactMap(\.distance).max())
    // u − v shrinks and u + v grows up to √2 times its start and more: the path is longer than its chord.
    let (first, last) = (
      comparison.flow.samples[0].values, comparison.flow.samples.last?.values ?? []
    )
    #expect(comparison.pathLength > hypot(last[2] - first[2], last[3] - first[3]))
    #expect(comparison.sample(at: 0.05, ofStage: 0) == nil)
    #expect(comparison.sample(at: 0.1, ofStage: 1) == nil)
  }

  @Test func theOrderOfGradientDescentIsOne() throws {
    let (comparison, records) = try Self.trained([0.1, 0.05, 0.0125, 0.00625])
    func finding(_ records: [(factor: Double, record: TrainingRecord)]) -> Finding {
      TrainingEvidence(
        comparison, descent: nil, descents: records, figures: [], options: Self.options
      ).findings(of: .descentOrder)[0]
    }
    #expect(finding(records).verdict == .holds)
    #expect(abs(finding(records).measured - 1) < 0.02)
    // Records that are not what their rate says.
    let wrong = records.map { (factor: $0.factor * $0.factor, record: $0.record) }
    #expect(finding(wrong).verdict == .rejected)
    #expect(finding([records[0]]).reason != nil)
  }

  @Test func figuresAreHeldAgainstStepsAndTimes() throws {
    let (comparison, records) = try Self.trained([0.1])
    let record = records[0].record
    func verdict(
      _ quantity: String, _ moment: PublishedFigure.Moment, _ value: Double
    ) -> Finding.Verdict {
      TrainingEvidence(
        comparison, descent: record, descents: [],
        figures: [
          PublishedFigure(quantity, stage: "all", moment: moment, value: value, tolerance: 1e-3)
        ], options: Self.options
      ).findings(of: .figures)[0].verdict
    }
    let product = record.samples[10].values[4]
    #expect(verdict("product", .step(10), product + 9e-4) == .holds)
    #expect(verdict("product", .step(10), product + 2e-3) == .rejected)
    let flow = try #require(comparison.sample(at: 1, ofStage: 0)).values[4]
    #expect(abs(flow - product) > 3e-3)
    #expect(verdict("product", .time(1), flow) == .holds)
    #expect(verdict("product", .time(1), product) == .rejected)
    if case .notApplicable = verdict("nothing", .step(1), 0) {
    } else {
      Issue.record("no such column")
    }
  }

  @Test func figuresOfReplicatesAreMeans() {
    func combined(_ values: [Double], derived: Double) -> Finding {
      Finding.combined(
        values.map {
          Finding(.figures, "x", derived: derived, measured: $0, uncertainty: 0, modelError: 0.1)
        })
    }
    // Each is too far off, their mean is not; the scatter does not widen the tolerance.
    #expect(combined([1, 2, 3], derived: 2.05).verdict == .holds)
    #expect(combined([1, 2, 3], derived: 2.05).measured == 2)
    #expect(combined([1, 2, 3], derived: 2.15).verdict == .rejected)
    let missing = Finding(.figures, "x", notApplicable: "diverged")
    let found = Finding(.figures, "x", derived: 2, measured: 9, uncertainty: 0, modelError: 0.1)
    #expect(Finding.combined([found, missing]).reason != nil)
  }

  /// What the flow's tolerances leave open says nothing of an order.
  @Test func aCoarseFlowSaysNothingOfTheOrder() throws {
    let (comparison, records) = try Self.trained([0.1, 0.05])
    let coarse = SolverOptions(relativeTolerance: 1e-4, absoluteTolerance: 1e-6)
    let finding = TrainingEvidence(
      comparison, descent: nil, descents: records, figures: [], options: coarse
    ).findings(of: .descentOrder)[0]
    #expect(finding.reason != nil)
  }

  /// A step of gradient descent multiplies C_D by 1 + η²‖∇_c L‖²/C_D: the gradient is orthogonal to c.
  @Test func gradientDescentBreaksTheConservationOfC() throws {
    let model = ClaimTests.model(window: 2, floor: 1e-3)
    let objective = ClaimTests.corpus(model, sequences: 50, length: 20)
    let problem = FlowProblem(
      minimizing: objective,
      from: model.initialParameters(coefficient: 0.05, ownWeight: 2, otherWeight: 0, scale: 1),
      stages: [Stage(name: "all", training: ["c", "w", "a"], until: 10)])
    let record = DiscreteTraining(
      problem, by: .gradientDescent, stages: [.init(rate: 1, count: 10, recorded: Array(0...10))]
    ).run()
    let flow = try FlowSolver(options: Self.options).solve(
      problem, sampling: SampleSchedule(at: [(0...10).map(Double.init)]))
    let findings = TrainingEvidence(
      TrainingComparison(objective, flow: flow), descent: record, descents: [], figures: [],
      options: Self.options
    ).findings(of: .descentDrift)
    #expect(findings.count == 2 && findings.allSatisfy { $0.verdict == .holds }, "\(findings)")
    #expect(findings[0].measured > 1.01)
  }

  @Test func aLossThatRisesWithTheLengthIsRejected() {
    func verdict(_ drop: Double) -> Finding.Verdict? {
      let losses = [100, 200].map {
        FreshLoss(
          concentration: 0.1, length: $0, loss: Estimate(0.2, standardError: 0.1),
          drop: $0 == 100 ? nil : Estimate(drop, standardError: 0.01))
      }
      return Claim.lengths.findings(on: losses).first?.verdict
    }
    #expect(verdict(0.001) == .holds && verdict(-0.009) == .holds)
    #expect(verdict(-0.011) == .rejected)
    #expect(Claim.order.findings(on: []).isEmpty)
  }
}
