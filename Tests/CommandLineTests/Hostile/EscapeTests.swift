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
    let killed = try ResumeTests.interrupt(
      scratch, ["run", "slow.yaml", "--out", "run", "--quiet"])
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

  /// What a terminal would obey is shown, not sent, wherever in a manifest it stands.
  @Test func manifestsDoNotCommandTheTerminal() throws {
    let scratch = try scratch()
    #expect(try scratch.run("run", "x.yaml", "--out", "run", "--quiet").code == 0)
    let manifest = try scratch.text("run/manifest.json")
    let forged = ["\"program_version\" : \"", "\"compiler\" : \"", "\"name\" : \""]
      .reduce(manifest) { $0.replacing($1, with: $1 + "\\u001b]0;mine\\u0007") }
    #expect(forged != manifest)
    try scratch.write(forged, as: "run/manifest.json")
    let result = try scratch.run("inspect", "run")
    #expect(result.output.contains("mine"), "\(result)")
    #expect(!(result.output + result.errors).contains("\u{1B}"), "\(result)")
  }

  /// A folder that is a link would lead what is written, and what is removed, elsewhere.
  @Test(arguments: ["s/flows", "s/flows/.000001", "s/flows/000001"])
  func linkedFoldersOfSweepsAreRefused(link: String) throws {
    let scratch = try scratch()
    #expect(try scratch.run("sweep", "plan", "many.yaml", "--out", "s").code == 0)
    try linked(link, in: scratch)
    let result = try scratch.run("sweep", "run", "s", "--index", "1", "--retry-failed", "--quiet")
    #expect(result.code == 2 && result.errors.contains("a symbolic link"), "\(result)")
    #expect(try scratch.names(in: "own") == ["thesis.tex"])
  }

  @Test(arguments: ["run/flows", "run/flows/000001", "run/.lock"])
  func linkedFoldersOfRunsAreRefused(link: String) throws {
    let scratch = try scratch()
    #expect(try scratch.run("run", "many.yaml", "--out", "run", "--quiet").code == 0)
    let manifest = try scratch.text("run/manifest.json")
    try scratch.write(
      manifest.replacing(#/"state"( *: *)"finished"/#) { "\"state\"\($0.1)\"running\"" },
      as: "run/manifest.json")
    try linked(link, in: scratch)
    let result = try scratch.run("run", "many.yaml", "--out", "run", "--quiet", "--resume")
    #expect([1, 2].contains(result.code), "\(result)")
    #expect(result.errors.contains("symbolic link"), "\(result)")
    #expect(try scratch.names(in: "own") == ["thesis.tex"])
  }

  /// Puts a link to a folder of the user's into a place.
  private func linked(_ place: String, in scratch: Scratch) throws {
    let files = FileManager.default
    let link = scratch.folder.appendingPathComponent(place)
    try files.createDirectory(
      at: scratch.folder.appendingPathComponent("own"), withIntermediateDirectories: false)
    try scratch.write("years of work", as: "own/thesis.tex")
    try? files.removeItem(at: link)
    try files.createDirectory(
      at: link.deletingLastPathComponent(), withIntermediateDirectories: true)
    try files.createSymbolicLink(
      at: link, withDestinationURL: scratch.folder.appendingPathComponent("own"))
  }

  /// Pipes that nobody writes into, and files without end, are refused where a file is named.
  @Test(arguments: [
    "initial.yaml", "run/manifest.json", "run/trajectory.csv", "run/experiment.yaml",
  ])
  func pipesAndEndlessFilesAreRefused(name: String) throws {
    for isPipe in [true, false] {
      let scratch = try scratch()
      #expect(try scratch.run("run", "x.yaml", "--out", "run", "--quiet").code == 0)
      let path = scratch.folder.appendingPathComponent(name).path
      try? FileManager.default.removeItem(atPath: path)
      if isPipe {
        #expect(mkfifo(path, 0o600) == 0)
      } else {
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/dev/zero")
      }
      let result =
        name == "initial.yaml"
        ? try scratch.run("run", "x.yaml", "--check", "--set", "initial.file=initial.yaml")
        : try scratch.run("inspect", "run")
      #expect([1, 2].contains(result.code), "\(result)")
    }
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
    let stopped = try scratch.run(
      "run", file, "--out", out, "--quiet", haltingAt: Moment(file: "\(out)/manifest.json")
    ) { kill($0, SIGTERM) }
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
