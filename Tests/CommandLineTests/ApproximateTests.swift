import Foundation
import Testing

@Suite struct ApproximateTests {
  static let text = """
    # How exact are they?
    sequences: {samples: 2}
    bigrams:
      rates: [1, 30]
      lengths: [20, 300]
    lags:
      - lag: 2
        heads: [1, 2, 4]
        budgets: [100, 1.0e+9]
    patches:
      - order: 3
        heads: [2, 4]
        budgets: [100]
        length: 60
    similarities:
      - kernel: absolute
        ranks: [4, 64]

    """

  private static let tables = [
    "bigrams.csv", "lags.csv", "patches.csv", "positions.csv", "similarities.csv",
  ]

  @Test func errorsStandBesideBounds() throws {
    let scratch = try Scratch()
    try scratch.write(Self.text, as: "x.yaml")
    let result = try scratch.run("approximate", "x.yaml", "--out", "a", "--threads", "1")
    #expect(result.code == 0, "\(result.errors)")
    #expect(result.errors == "")
    for part in [
      "How exact are they?", "IH₂, one head per layer", "needs 2 heads", "too few heads",
      "|u − v|, uniform", "largest error/bound", "recorded in a",
    ] { #expect(result.output.contains(part), "\(part)\n\(result.output)") }
    #expect(!result.output.contains("EXCEEDED"))
    let files = Self.tables + ["experiment.yaml", "manifest.json"]
    #expect(try scratch.names(in: "a") == files.sorted())
    #expect(try scratch.state(of: "a") == "finished")
    let bigrams = try scratch.table("a/bigrams.csv")
    #expect(bigrams.rows.count == 12)
    let error = try #require(bigrams.columns.firstIndex(of: "error"))
    let bound = try #require(bigrams.columns.firstIndex(of: "bound"))
    for row in bigrams.rows {
      #expect(try #require(Double(row[error])) <= #require(Double(row[bound])))
    }
    let inspected = try scratch.run("inspect", "a")
    #expect(inspected.code == 0, "\(inspected.output)")
    #expect(inspected.output.contains("IHn") && !inspected.output.contains("\nstages"))

    // The resolved experiment, on other threads, gives the same bytes.
    let again = try scratch.run(
      "approximate", "a/experiment.yaml", "--out", "b", "--threads", "2", "--quiet")
    #expect(again.code == 0)
    for table in Self.tables {
      #expect(try scratch.data("a/\(table)") == scratch.data("b/\(table)"))
    }
    let numbered = try scratch.run("approximate", "x.yaml", "--set", "lags=[]")
    #expect(numbered.code == 0)
    #expect(try scratch.names(in: "runs") == ["0001-x"])
    #expect(try !scratch.names(in: "runs/0001-x").contains("lags.csv"))
  }

  @Test(arguments: [
    (["--set", "patches[0].heads=[1]"], "found 1 shared head with order 3"),
    (["--set", "patches.heads=[1]"], "patches"),
    (["--set", "bigrams.rates=[]"], "bigrams.rates"),
    (["--threads", "0"], "--threads takes a whole number from 1 to 1024, not 0."),
    (["--out", "x.yaml"], "x.yaml: exists already"),
    (["--set", "similarities[0].measure=gaussian"], "similarities[0].measure: found gaussian"),
  ])
  func badInputWritesNothing(arguments: [String], message: String) throws {
    let scratch = try Scratch()
    try scratch.write(Self.text, as: "x.yaml")
    let result = try Program.run(["approximate", "x.yaml"] + arguments, in: scratch)
    #expect(result.code == 2, "\(result.output)")
    #expect(result.output == "")
    #expect(result.errors.contains(message), "\(result.errors)")
    #expect(try scratch.names() == ["x.yaml"])
  }

  @Test func aFlowIsNotAnApproximation() throws {
    let scratch = try Scratch()
    try scratch.write(SmallExperiment.text, as: "x.yaml")
    let result = try scratch.run("approximate", "x.yaml")
    #expect(result.code == 2 && result.errors.contains("x.yaml:2:1: data"), "\(result.errors)")
    #expect(try scratch.run("approximate", "gone.yaml").code == 2)
    #expect(try scratch.names() == ["x.yaml"])
  }

  @Test func stoppingIsRecorded() throws {
    let scratch = try Scratch()
    try scratch.write(Self.text, as: "x.yaml")
    let result = try scratch.run(
      "approximate", "x.yaml", "--out", "a", "--set", "bigrams.lengths=[300000, 1000000]",
      "--set", "bigrams.norms=[1, 2, 3, 4, 5, 6, 7, 8]", "--set", "sequences.samples=60",
      // Once the manifest stands, the signals are caught.
      haltingAt: Moment(file: "a/manifest.json")
    ) { kill($0, SIGINT) }
    #expect(result.code == 130, "\(result.errors)")
    #expect(try scratch.state(of: "a") == "stopped")
    #expect(try scratch.names(in: "a") == ["experiment.yaml", "manifest.json"])
  }
}
