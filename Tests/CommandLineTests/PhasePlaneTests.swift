import Foundation
import Testing

@Suite struct PhasePlaneTests {
  private static let tables = ["field.csv", "fixed_points.csv", "nullclines.csv", "paths.csv"]
  private static let text = SmallExperiment.adding(
    "plane: {x: share.1, y: share.1+2, start_grid: 2, duration: 100}")

  @Test func fieldAndFixedPointsAreRecorded() throws {
    let scratch = try Scratch()
    try scratch.write(Self.text, as: "x.yaml")
    let result = try scratch.run("phase-plane", "x.yaml", "--out", "a", "--grid", "9")
    #expect(result.code == 0, "\(result.errors)")
    #expect(result.errors == "")
    for part in [
      "Does the small run work?", "share.1 in 0…1, share.1+2 in 0…1, 9 × 9 nodes", "held",
      "36 of 81 nodes have no flow", "minimum", "maximum", "recorded in a",
    ] { #expect(result.output.contains(part), "\(part)\n\(result.output)") }
    let files = Self.tables + ["experiment.yaml", "manifest.json"]
    #expect(try scratch.names(in: "a") == files.sorted())
    #expect(try scratch.state(of: "a") == "finished")
    let field = try scratch.table("a/field.csv")
    #expect(field.rows.count == 81)
    let points = try scratch.table("a/fixed_points.csv")
    let slope = try #require(points.columns.firstIndex(of: "gradient_norm"))
    #expect(points.rows.count >= 3)
    for row in points.rows { #expect(try #require(Double(row[slope])) <= 1e-10) }
    #expect(try scratch.run("inspect", "a").code == 0)

    // The resolved experiment, on other threads, gives the same bytes.
    let again = try scratch.run(
      "phase-plane", "a/experiment.yaml", "--out", "b", "--threads", "2", "--quiet")
    #expect(again.code == 0, "\(again.errors)")
    for table in Self.tables {
      #expect(try scratch.data("a/\(table)") == scratch.data("b/\(table)"))
    }
    // A flow of the same file is a run of its own, which the plane leaves alone.
    #expect(try scratch.run("run", "x.yaml", "--quiet").code == 0)
  }

  @Test func optionsStandAboveTheFile() throws {
    let scratch = try Scratch()
    try scratch.write(SmallExperiment.text, as: "x.yaml")
    let result = try scratch.run(
      "phase-plane", "x.yaml", "--set", "stages[0].train=[w, a]", "--x", "gap.1", "--x-from", "-1",
      "--x-to", "6", "--y", "a", "--y-from", "0.1", "--y-to", "3", "--grid", "5", "--set",
      "plane.start_grid=1")
    #expect(result.code == 0, "\(result.errors)")
    #expect(result.output.contains("gap.1 in -1…6, a in 0.1…3, 5 × 5 nodes"), "\(result.output)")
    #expect(try scratch.names(in: "runs") == ["0001-x"])
  }

  @Test(arguments: [
    (["--x", "share.4"], "plane.x: found share.4"),
    (["--grid", "0"], "plane.grid: found 0"),
    (["--y", "a"], "plane.y_from"),
    (["--set", "plane.y=share.1"], "one coordinate spans no plane"),
    (["--set", "replicates=2"], "an experiment of several flows"),
    (["--threads", "0"], "--threads takes a whole number from 1 to 1024, not 0."),
    (["--out", "x.yaml"], "x.yaml: exists already"),
  ])
  func badInputWritesNothing(arguments: [String], message: String) throws {
    let scratch = try Scratch()
    try scratch.write(Self.text, as: "x.yaml")
    let result = try Program.run(["phase-plane", "x.yaml"] + arguments, in: scratch)
    #expect(result.code == 2, "\(result.output)")
    #expect(result.output == "")
    #expect(result.errors.contains(message), "\(result.errors)")
    #expect(try scratch.names() == ["x.yaml"])
  }

  @Test func stoppingIsRecorded() throws {
    let scratch = try Scratch()
    try scratch.write(Self.text, as: "x.yaml")
    let result = try scratch.run(
      "phase-plane", "x.yaml", "--out", "a", "--grid", "1001",
      // Once the manifest stands, the signals are caught.
      haltingAt: Moment(file: "a/manifest.json")
    ) { kill($0, SIGINT) }
    #expect(result.code == 130, "\(result.errors)")
    #expect(try scratch.state(of: "a") == "stopped")
    #expect(try scratch.names(in: "a") == ["experiment.yaml", "manifest.json"])
  }
}
