import Foundation
import Testing

@Suite struct InspectTests {
  private func scratch() throws -> Scratch {
    let scratch = try Scratch()
    try scratch.write(SmallExperiment.text, as: "x.yaml")
    #expect(try scratch.run("run", "x.yaml", "--out", "run", "--quiet").code == 0)
    return scratch
  }

  @Test func aCompleteRunTellsItsProvenance() throws {
    let result = try scratch().run("inspect", "run")
    #expect(result.code == 0)
    #expect(result.errors == "")
    for part in [
      "run: finished", "gradflow", "SUNDIALS", "OpenBLAS", "threads", "SHA-256", "data 1",
      "selection", "C_D conserved", "trajectory.csv", "rows ×", "The run is complete.",
    ] { #expect(result.output.contains(part), "\(part)") }
  }

  @Test func damageIsNamed() throws {
    let scratch = try scratch()
    func damage(_ change: (URL) throws -> Void, says: String) throws {
      let copy = scratch.folder.appendingPathComponent("copy")
      try FileManager.default.copyItem(at: scratch.folder.appendingPathComponent("run"), to: copy)
      defer { try? FileManager.default.removeItem(at: copy) }
      try change(copy)
      let result = try scratch.run("inspect", "copy")
      #expect(result.code == 1)
      #expect(result.output.contains("The run is not complete:"))
      #expect(result.output.contains(says), "\(result.output)")
    }
    for name in completeRun where name != "manifest.json" {
      try damage(
        { try FileManager.default.removeItem(at: $0.appendingPathComponent(name)) },
        says: "\(name) is missing.")
    }
    try damage(
      { copy in
        let file = copy.appendingPathComponent("experiment.yaml")
        try (Data(contentsOf: file) + Data("# edited\n".utf8)).write(to: file)
      }, says: "experiment.yaml is not the one the manifest names; it was changed.")
    try damage(
      { copy in
        let file = copy.appendingPathComponent("trajectory.csv")
        try Data(contentsOf: file).dropLast(5).write(to: file)
      }, says: "trajectory.csv ends in the middle of a line; it was cut short.")
    try damage(
      { copy in
        let file = copy.appendingPathComponent("steps.csv")
        try (Data(contentsOf: file) + Data("1,2\n".utf8)).write(to: file)
      }, says: "2 cells found under 7 columns")
  }

  @Test func whatIsNoRunIsRefused() throws {
    let scratch = try scratch()
    try FileManager.default.createDirectory(
      at: scratch.folder.appendingPathComponent("empty"), withIntermediateDirectories: false)
    for (path, says) in [
      ("gone", "ENOENT"), ("x.yaml", "ENOTDIR"), ("empty", "it has no manifest.json"),
      ("", "not a name"),
    ] {
      let result = try scratch.run("inspect", path)
      #expect(result.code == 2)
      #expect(result.output == "")
      #expect(result.errors.contains(says), "\(result.errors)")
    }
    try scratch.write("{", as: "run/manifest.json")
    let broken = try scratch.run("inspect", "run")
    #expect(broken.code == 2)
    #expect(broken.errors.contains("run/manifest.json"))
    try scratch.write("{\"schema_version\": 1000}", as: "run/manifest.json")
    #expect(try scratch.run("inspect", "run").errors.contains("schema version 1000, newer than 1"))
  }
}
