import Foundation
import Testing

@Suite struct OutputFolderTests {
  private func scratch() throws -> Scratch {
    let scratch = try Scratch()
    try scratch.write(SmallExperiment.text, as: "x.yaml")
    return scratch
  }

  /// Mounts of its own, so that none is left behind.
  static let canMount: Bool = {
    guard geteuid() == 0, let scratch = try? Scratch() else { return false }
    let script = "unshare -m sh -c 'mkdir m && mount -t tmpfs -o size=64k tmpfs m'"
    return (try? scratch.run("--version", shell: script + " && exec \"$0\" \"$@\""))?.code == 0
  }()

  /// Otherwise a clock says whether a checkpoint is left.
  private static let neverKeeping = "GRADFLOW_CHECKPOINT_SHARE=0"

  /// Runs the program in a mount namespace with a small disk at `m`, whose content it keeps.
  private static func mounting(_ options: String, keeping kept: String) -> String {
    """
    exec unshare -m sh -c 'mkdir m && mount -t tmpfs -o \(options) tmpfs m && "$0" "$@"
    code=$?; cp -a m \(kept); exit $code' "$0" "$@"
    """
  }

  @Test func anExistingPathIsRefused() throws {
    let scratch = try scratch()
    try FileManager.default.createDirectory(
      at: scratch.folder.appendingPathComponent("old"), withIntermediateDirectories: false)
    for path in ["old", "old/", ".", "x.yaml"] {
      let result = try scratch.run("run", "x.yaml", "--out", path)
      #expect(result.code == 2)
      #expect(result.errors.contains("exists already. What to do: choose a new folder"))
    }
    #expect(try scratch.names() == ["old", "x.yaml"])
    #expect(try scratch.names(in: "old") == [])
  }

  @Test(arguments: ["x.yaml/inner", "x.yaml/a/b", "", "/proc/none"])
  func aPlaceThatTakesNoFolderIsRefused(path: String) throws {
    let scratch = try scratch()
    let result = try scratch.run("run", "x.yaml", "--out", path)
    #expect(result.code == 2)
    #expect(result.errors.hasPrefix("gradflow: \(path)") || path.isEmpty)
    #expect(!result.errors.isEmpty && result.output == "")
    #expect(try scratch.names() == ["x.yaml"])
  }

  @Test(.enabled(if: geteuid() != 0, "root may write anywhere"))
  func aFolderWithoutPermissionIsRefused() throws {
    let scratch = try scratch()
    let closed = scratch.folder.appendingPathComponent("closed")
    try FileManager.default.createDirectory(
      at: closed, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o555])
    let result = try scratch.run("run", "x.yaml", "--out", "closed/run")
    #expect(result.code == 2)
    #expect(result.errors.contains("EACCES"))
    #expect(try scratch.names(in: "closed") == [])
  }

  @Test(.enabled(if: canMount, "needs root and mounts"))
  func aReadOnlyDiskIsRefused() throws {
    let scratch = try scratch()
    let result = try scratch.run(
      "run", "x.yaml", "--out", "m/run", shell: Self.mounting("ro", keeping: "kept"))
    #expect(result.code == 2)
    #expect(result.errors.contains("m/run: mkdir failed with EROFS"))
    #expect(try scratch.names(in: "kept") == [])
  }

  @Test(.enabled(if: canMount, "needs root and mounts"), arguments: [16, 32, 64])
  func aFullDiskKeepsWhatIsWhole(kibibytes: Int) throws {
    let scratch = try scratch()
    let result = try scratch.run(
      "run", "x.yaml", "--out", "m/run", "--quiet",
      shell: "export \(Self.neverKeeping); "
        + Self.mounting("size=\(kibibytes)k", keeping: "kept"))
    #expect(result.code == 1)
    #expect(result.errors.contains("ENOSPC"))
    #expect(result.errors.contains("What could be written is in m/run."))
    let names = try scratch.names(in: "kept/run")
    #expect(names.allSatisfy(completeRun.contains))
    #expect(names.contains("experiment.yaml") && !names.contains("trajectory.csv"))
    #expect(try ["running", "failed"].contains(scratch.state(of: "kept/run")))
    #expect(try scratch.run("inspect", "kept/run").code == 1)
  }

  @Test(.enabled(if: canMount, "needs root and mounts"))
  func aDiskThatIsFullAtTheStartIsLeftAsItWas() throws {
    let scratch = try scratch()
    let result = try scratch.run(
      "run", "x.yaml", "--out", "m/run", shell: Self.mounting("size=4k", keeping: "kept"))
    #expect(result.code == 1)
    #expect(result.errors.contains("ENOSPC"))
    #expect(try scratch.names(in: "kept") == [])
  }

  @Test func aLimitOnFileSizesKeepsWhatIsWhole() throws {
    let scratch = try scratch()
    // In units of 512 bytes: the steps fit, the trajectory does not.
    let result = try scratch.run(
      "run", "x.yaml", "--out", "run", "--quiet",
      shell: "ulimit -f 100; \(Self.neverKeeping) exec \"$0\" \"$@\"")
    #expect(result.code == 1)
    #expect(result.errors.contains("run/trajectory.csv: write failed"))
    #expect(try scratch.names(in: "run") == completeRun.filter { $0 != "trajectory.csv" })
    #expect(try scratch.state(of: "run") == "failed")
    #expect(try scratch.run("inspect", "run").output.contains("trajectory.csv is missing."))
  }

  @Test func aLimitThatTakesNothingLeavesNothing() throws {
    let scratch = try scratch()
    let result = try scratch.run(
      "run", "x.yaml", "--out", "a/run", "--quiet", shell: "ulimit -f 2; exec \"$0\" \"$@\"")
    #expect(result.code == 1)
    #expect(result.errors.contains("a/run/experiment.yaml: write failed"))
    #expect(try scratch.names() == ["x.yaml"])
  }

  @Test func numbersGoOnFromTheLastOne() throws {
    let scratch = try scratch()
    for _ in 0..<2 { #expect(try scratch.run("run", "x.yaml", "--quiet").code == 0) }
    #expect(try scratch.names(in: "runs") == ["0001-x", "0002-x"])
    for name in ["0041-other", "9223372036854775807-x", "99999999999999999999-y", "notes"] {
      try FileManager.default.createDirectory(
        at: scratch.folder.appendingPathComponent("runs/\(name)"),
        withIntermediateDirectories: false)
    }
    let result = try scratch.run("run", "x.yaml", "--quiet")
    #expect(result.code == 0)
    #expect(result.output.contains("recorded in runs/0042-x"))
  }

  @Test func runsThatIsAFileIsRefused() throws {
    let scratch = try scratch()
    try scratch.write("", as: "runs")
    let result = try scratch.run("run", "x.yaml")
    #expect(result.code == 2)
    #expect(result.errors.contains("runs"))
    #expect(try scratch.names() == ["runs", "x.yaml"])
  }

  @Test func anyNameServes() throws {
    let scratch = try Scratch()
    try scratch.write(SmallExperiment.text, as: "Frage eins – ∇L?.yaml")
    let result = try scratch.run("run", "Frage eins – ∇L?.yaml", "--quiet")
    #expect(result.code == 0)
    #expect(try scratch.names(in: "runs") == ["0001-Frage eins – ∇L?"])
    let path = "läufe/ein Ordner/-α=0,1"
    #expect(try scratch.run("run", "Frage eins – ∇L?.yaml", "--quiet", "--out", path).code == 0)
    #expect(try scratch.names(in: path) == completeRun)
    #expect(try scratch.run("inspect", path + "/").code == 0)
  }
}
