import Foundation
import Glibc
import RunRecords
import Testing

@Suite struct RunDirectoryTests {
  @Test(arguments: ["", ".", "..", "../x", "a/b", "/etc/x", ".hidden", "a\0b"])
  func namesThatLeadElsewhereAreRefused(name: String) {
    #expect(failure { _ = try FileName(name) }?.reason == .invalidName)
  }

  @Test func existingFolderIsRefused() throws {
    let folder = try ScratchFolder()
    let error = failure { _ = try RunDirectory.create(at: folder.path + "/") }
    #expect(error?.reason == .alreadyExists)
    #expect(
      error?.description == "\(folder.path): exists already. What to do: \(error?.advice ?? "")")
    try AtomicFile.write("x", to: folder.path + "/file")
    #expect(failure { _ = try RunDirectory.create(at: folder.path + "/file") } != nil)
    #expect(
      failure { _ = try RunDirectory.create(at: folder.path + "/file/run") }?.code == ENOTDIR)
    #expect(folder.names == ["file"])
  }

  @Test func discardingLeavesNothing() throws {
    let folder = try ScratchFolder()
    let run = try RunDirectory.create(at: folder.path + "/new/deep/run")
    try run.write("a: 1\n", as: .experiment)
    let inner = try run.createInner(at: ["replicates/001"])
    #expect(inner.path == run.path + "/replicates/001")
    try run.discard()
    #expect(folder.names.isEmpty)
  }

  @Test func discardingKeepsNeighbours() throws {
    let folder = try ScratchFolder()
    let name = try FileName("x")
    let first = try RunDirectory.createNumbered(name: name, in: folder.path + "/runs")
    let second = try RunDirectory.createNumbered(name: name, in: folder.path + "/runs")
    #expect(second.path == folder.path + "/runs/0002-x")
    try first.discard()
    #expect(try RunDirectory.entries(of: folder.path + "/runs") == ["0002-x"])
    let third = try RunDirectory.createNumbered(name: name, in: folder.path + "/runs")
    #expect(third.path == folder.path + "/runs/0003-x")
  }

  @Test func concurrentRunsGetDifferentNumbers() async throws {
    let folder = try ScratchFolder()
    let runs = folder.path + "/runs"
    let paths = try await withThrowingTaskGroup(of: String.self) { group in
      for index in 0..<40 {
        group.addTask {
          try RunDirectory.createNumbered(name: FileName("run-\(index)"), in: runs).path
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    let numbers = Set(paths.map { $0.dropFirst(runs.count + 1).prefix(4) })
    #expect(numbers.count == 40)
    #expect(try RunDirectory.entries(of: runs).count == 40)
  }

  @Test func folderOnAFullOrMissingDisk() throws {
    // Not even root makes folders in /proc.
    let error = failure { _ = try RunDirectory.create(at: "/proc/gradflow/run") }
    #expect(error?.call == "mkdir")
    #expect(error?.path == "/proc/gradflow")
  }

  @Test func completeRunIsReadBack() throws {
    let folder = try ScratchFolder()
    let run = try RunDirectory.create(at: folder.path + "/run")
    let experiment = "name: x\n"
    try run.write(experiment, as: .experiment)
    var manifest = ManifestTests.example
    manifest.experimentSHA256 = Digest.sha256(experiment.utf8)
    manifest.status = .running
    try run.write(manifest)
    let early = try RunDirectory.open(at: run.path).inspection()
    #expect(
      early.problems == [
        "The run still runs, or was killed before its end.", "trajectory.csv is missing.",
        "events.csv is missing.",
        "steps.csv is missing.", "final.yaml is missing.",
      ])
    var trajectory = Table(columns: ["stage", "t", "loss"])
    trajectory.append([.text("memory")], reals: [0, 1.5])
    try run.write(trajectory, as: .trajectory)
    let event = EventRecord(
      stage: "memory", name: "selection.1+2", time: 12.5, timeError: 1e-6, isReached: true)
    let step = StepRecord(
      stage: "memory", time: 1, step: 0.5, order: 2, errorEstimate: 0.1, evaluations: 4,
      linearFailures: 0)
    try run.write(Table(events: [event]), as: .events)
    try run.write(Table(steps: [step]), as: .steps)
    try run.write("a: 1\n", as: .final)
    manifest.status = .finished
    try run.write(manifest)
    let opened = try RunDirectory.open(at: run.path)
    let inspection = try opened.inspection()
    #expect(inspection.isComplete, "\(inspection.problems)")
    #expect(inspection.manifest == manifest)
    #expect(inspection.entries.count == 6)
    let entry = try #require(inspection.entries.first { $0.name == "trajectory.csv" })
    #expect(entry.byteCount == 28)
    #expect(entry.rowCount == 1)
    #expect(entry.columnCount == 3)
    #expect(try opened.table(.trajectory) == trajectory)
    #expect(try opened.text(.final) == "a: 1\n")
    #expect(try opened.table(.events).texts("status") == ["reached"])
    try opened.write("name: y\n", as: .experiment)
    #expect(try opened.inspection().problems.count == 1)
  }

  @Test func otherFoldersAreNoRuns() throws {
    let folder = try ScratchFolder()
    let error = failure { _ = try RunDirectory.open(at: folder.path) }
    #expect(error?.reason == .notARun(missing: "manifest.json"))
    #expect(failure { _ = try RunDirectory.open(at: folder.path + "/x") }?.code == ENOENT)
  }
}
