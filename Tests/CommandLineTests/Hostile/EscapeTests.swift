import Foundation
import Testing

/// Nothing that a file says makes the program write anywhere but where the command line says.
@Suite struct EscapeTests {
  private func scratch() throws -> Scratch {
    let scratch = try Scratch()
    try scratch.write(SmallExperiment.text, as: "x.yaml")
    try scratch.write(
      SmallExperiment.text + "sweep: [{key: initial.scale, values: [0.01, 0.02]}]\n",
      as: "many.yaml")
    return scratch
  }

  @Test(arguments: ["../out", "/tmp/gradflow-escape", "a/b", "..", ".hidden", "a\\0b", "x y"])
  func namesOfStagesAreNoPaths(name: String) throws {
    let scratch = try scratch()
    let result = try scratch.run(
      "run", "x.yaml", "--out", "run", "--set", "stages[0].name=\"\(name)\"")
    #expect(result.code == 2 && result.errors.contains("stages[0].name"), "\(result)")
    #expect(try scratch.names() == ["many.yaml", "x.yaml"])
  }

  @Test(arguments: [
    "../../out", "/tmp/gradflow-escape", "flows/../../out", "..", "flows/000001/../../../out",
  ])
  func ledgersNameNoPlaceElsewhere(path: String) throws {
    let scratch = try scratch()
    #expect(try scratch.run("sweep", "plan", "many.yaml", "--out", "s").code == 0)
    let ledger = try scratch.text("s/ledger.jsonl")
    let escaped = path.replacing("/", with: "\\/")
    for text in [path, escaped] {
      let forged = ledger.replacing("flows/000001", with: text)
        .replacing("flows\\/000001", with: text)
      #expect(forged != ledger)
      try scratch.write(forged, as: "s/ledger.jsonl")
      for command in ["run", "status", "collect"] {
        let result = try scratch.run("sweep", command, "s")
        #expect(result.code == 2 && result.errors.contains("ledger.jsonl"), "\(command): \(result)")
      }
    }
    #expect(try scratch.names() == ["many.yaml", "s", "x.yaml"])
    #expect(try scratch.names(in: "s") == ["experiment.yaml", "ledger.jsonl", "manifest.json"])
    #expect(!FileManager.default.fileExists(atPath: "/tmp/gradflow-escape"))
  }

  /// A link in a run directory is replaced, and what it leads to stays as it is.
  @Test func linksAreReplacedAndNotFollowed() throws {
    let scratch = try scratch()
    try scratch.write(ResumeTests.slow, as: "slow.yaml")
    let killed = try Program.run(
      ["run", "slow.yaml", "--out", "run", "--quiet"], in: scratch, mayBeKilled: true
    ) { process in
      scratch.wait(for: "run/checkpoint.bin")
      kill(process, SIGKILL)
    }
    #expect(killed.isKilled)
    let names = [
      "trajectory.csv", "events.csv", "steps.csv", "final.yaml", "checkpoint-previous.bin",
    ]
    for name in names {
      try scratch.write("mine", as: "own-\(name)")
      let link = scratch.folder.appendingPathComponent("run/\(name)")
      try? FileManager.default.removeItem(at: link)
      try FileManager.default.createSymbolicLink(
        atPath: link.path, withDestinationPath: "../own-\(name)")
    }
    let resumed = try scratch.run("run", "slow.yaml", "--out", "run", "--quiet", "--resume")
    #expect(resumed.code == 0, "\(resumed)")
    for name in names { #expect(try scratch.text("own-\(name)") == "mine") }
    #expect(try scratch.names(in: "run") == completeRun)
  }

  /// Files with unusual names are read, and what is said of them can be pasted into a shell.
  @Test func anyNameCanBePasted() throws {
    let scratch = try scratch()
    let folder = "Läufe & 'Tests' $(touch x)"
    try FileManager.default.createDirectory(
      at: scratch.folder.appendingPathComponent(folder), withIntermediateDirectories: false)
    let file = "\(folder)/wie schnell – α?.yaml"
    try scratch.write(ResumeTests.slow, as: file)
    let out = "\(folder)/run; echo 名"
    let stopped = try scratch.run("run", file, "--out", out, "--quiet", "--budget", "0.3s")
    #expect(stopped.code == 130, "\(stopped)")
    let command = try #require(
      stopped.errors.split(separator: "To go on: gradflow ").last?
        .split(separator: "\n").first)
    let resumed = try scratch.run(
      shell: "eval \"\\\"\\$0\\\" \(Self.quoted(String(command))) --quiet\"")
    #expect(resumed.code == 0, "\(command): \(resumed)")
    #expect(try scratch.names(in: out) == completeRun)
    #expect(try scratch.names().sorted() == ["many.yaml", "x.yaml", folder].sorted())
  }

  /// A text inside double quotes of a shell.
  private static func quoted(_ text: String) -> String {
    text.reduce(into: "") { $0 += ["\\", "\"", "$", "`"].contains($1) ? "\\\($1)" : "\($1)" }
  }
}
