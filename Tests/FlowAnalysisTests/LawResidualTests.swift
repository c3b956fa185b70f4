import FlowAnalysis
import GradientFlow
import Objectives
import TestSupport
import Testing

@Suite struct LawResidualTests {
  private func laws(_ objective: TwoLayers) throws -> [String: LawResidual] {
    let problem = FlowProblem(
      minimizing: objective, from: [0.3, 0.1],
      stages: [
        Stage(name: "u", training: ["u"], until: 0.1),
        Stage(name: "both", training: ["u", "v"], until: 60),
      ])
    let trajectory = try FlowSolver().solve(
      problem, sampling: SampleSchedule(first: 0.01, perDecade: 10))
    return Dictionary(
      uniqueKeysWithValues: trajectory.lawResiduals(of: objective, solvedWith: SolverOptions()).map
      {
        ($0.name, $0)
      })
  }

  /// u² − v² is conserved only while both move, so the stages are taken together here.
  @Test func aRightFlowHoldsTheLawsOfAllFlows() throws {
    let laws = try laws(TwoLayers())
    for name in ["dissipation balance", "loss never rises", "untrained parameters"] {
      #expect(laws[name]?.holds == true, "\(name): \(String(describing: laws[name]))")
    }
    #expect(laws["final gradient norm"].map { $0.value < 1e-8 } == true)
    // Training u alone breaks the conservation, and the check says so.
    #expect(laws["u²−v² conserved"]?.holds == false)
  }

  @Test func aWrongGradientBreaksTheBalance() throws {
    #expect(try laws(TwoLayers(isGradientWrong: true))["dissipation balance"]?.holds == false)
  }

  /// A stage that hardly moves is as good as its tolerances, however small its drop.
  @Test func aStageThatHardlyMovesHolds() throws {
    let trajectory = try FlowSolver().solve(
      FlowProblem(
        minimizing: TwoLayers(), from: [0.3, 0.1],
        stages: [Stage(name: "both", training: ["u", "v"], until: 1e-6)]),
      sampling: SampleSchedule(first: 1e-8, perDecade: 2))
    let laws = trajectory.lawResiduals(of: TwoLayers(), solvedWith: SolverOptions())
    for law in laws { #expect(law.holds, "\(law)") }
  }

  @Test func aWrongLawIsBroken() throws {
    let objective = TwoLayers(isLawWrong: true)
    let trajectory = try FlowSolver().solve(
      FlowProblem(
        minimizing: objective, from: [0.3, 0.1],
        stages: [Stage(name: "both", training: ["u", "v"], until: 20)]),
      sampling: SampleSchedule(first: 0.01, perDecade: 10))
    let wrong = trajectory.lawResiduals(of: objective, solvedWith: SolverOptions())
    #expect(wrong.first { $0.name == "u²−v² conserved" }?.holds == false)
    let right = trajectory.lawResiduals(of: TwoLayers(), solvedWith: SolverOptions())
    #expect(right.first { $0.name == "u²−v² conserved" }?.holds == true)
  }
}
