import DeclaredKeys
import Dispatch
import Experiments
import Foundation
import GradientFlow
import Logging
import RunRecords
import Synchronization
import Testing

struct EnsembleRunTests {
  /// A run directory that goes with its owner.
  private final class Folder {
    let path = FileManager.default.temporaryDirectory
      .appendingPathComponent("gradflow-ensemble-\(UInt64.random(in: .min ... .max))").path

    deinit { try? FileManager.default.removeItem(atPath: path) }
  }

  private func run(_ sweep: String, threads: Int = 2, _ overrides: String...) throws -> EnsembleRun
  {
    let plan = try EnsemblePlan(
      Ensemble(
        text: Example.minimal + "\n" + sweep, file: "x.yaml",
        overrides: overrides + ["stages.one.until=10"]))
    return EnsembleRun(
      plan, program: ProgramDescription(version: "0", source: nil), threads: threads,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }

  @Test(arguments: [1, 2, 5])
  func everyRunIsJudgedOnceAndKeptInTheOrderOfTheGrid(threads: Int) throws {
    let folder = Folder()
    let judged = Mutex<[Int]>([])
    let outcome = try run(
      "replicates: 2\nsweep: [{key: data.length, values: [50, 60, 70]}]", threads: threads
    ).run(into: .create(at: folder.path)) { point, plan, outcome in
      judged.withLock { $0.append(point.index) }
      return "\(point.values[0]) \(plan.experiment.data.seed) \(outcome.trajectory.stages.count)"
    } observer: { _ in
      true
    }
    #expect(judged.withLock { $0.sorted() } == Array(0..<6))
    #expect(
      outcome.flows.map(\.judgement) == [
        "50 1 1", "50 2 1", "60 1 1", "60 2 1", "70 1 1", "70 2 1",
      ])
    #expect(outcome.flows.map(\.point.index) == Array(0..<6))
    #expect(outcome.flows.allSatisfy { $0.ending == .finished && $0.end != nil })
    #expect(!outcome.isStopped && outcome.failures.isEmpty)
  }

  @Test func aSingleFlowGoesThroughTheSameDoor() throws {
    let folder = Folder()
    let outcome = try run("").run(into: .create(at: folder.path)) { _, plan, outcome in
      outcome.trajectory.parameters.count == plan.start.count
    } observer: { _ in
      true
    }
    #expect(outcome.flows.map(\.judgement) == [true])
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == [
        "events.csv", "experiment.yaml", "final.yaml", "manifest.json", "steps.csv",
        "trajectory.csv",
      ])
  }

  @Test func stoppingOneStopsAll() throws {
    let folder = Folder()
    let begun = Atomic<Int>(0)
    let outcome = try run("replicates: 9").run(into: .create(at: folder.path)) { _, _, _ in
    } observer: { progress in
      if case .started = progress { begun.add(1, ordering: .relaxed) }
      guard case .advanced(let point, _) = progress else { return true }
      return point.index != 2
    }
    #expect(outcome.isStopped && outcome.flows.count == 9)
    let states = outcome.flows.map(\.ending.name)
    #expect(states[2] == "stopped" && states[8] == "not started")
    #expect(begun.load(ordering: .relaxed) <= 4)
    let manifest = try RunDirectory.open(at: folder.path).manifest()
    #expect(manifest.status.state == .stopped && manifest.flows?.total == 9)
    #expect(try Table(contentsOf: folder.path + "/flows.csv").texts("status") == states)
  }

  @Test func aFlowThatCannotStartLeavesTheOthers() throws {
    let folder = Folder()
    // In short sequences some token never stands where the second layer reads.
    let outcome = try run("sweep: [{key: loss.floor, values: [1e-6, 0, 1e-5]}]", "data.length=4")
      .run(into: .create(at: folder.path)) { point, _, _ in
        point.index
      } observer: { _ in
        true
      }
    #expect(outcome.flows.map(\.ending.name) == ["finished", "failed", "finished"])
    #expect(outcome.flows.map(\.judgement) == [0, nil, 2])
    guard case .failed(let message)? = outcome.failures.first?.ending else {
      Issue.record("no failure")
      return
    }
    #expect(message.hasPrefix("x.yaml:16:42: sweep[0].values[1]: found 0.0, with which the loss"))
    #expect(message.contains("for loss.floor"))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path + "/flows").sorted() == [
        "000001", "000003",
      ])
  }

  @Test func theGateKeepsTheSumBelowItsLimit() {
    let gate = MemoryGate(limit: 100)
    let used = Atomic<Int>(0)
    let most = Atomic<Int>(0)
    let whole = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: 64) { index in
      let bytes = [30, 60, 250, 40][index % 4]
      gate.enter(bytes: Double(bytes)) {
        let now = used.add(bytes, ordering: .sequentiallyConsistent).newValue
        // What is larger than the limit goes alone.
        if bytes > 100, now > bytes { whole.add(1, ordering: .relaxed) }
        if bytes <= 100 { most.max(now, ordering: .relaxed) }
        usleep(500)
        used.subtract(bytes, ordering: .sequentiallyConsistent)
      }
    }
    #expect(most.load(ordering: .relaxed) <= 100)
    #expect(whole.load(ordering: .relaxed) == 0)
  }
}
