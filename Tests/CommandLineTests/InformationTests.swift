import Foundation
import Testing

@Suite struct InformationTests {
  @Test func aPriorIsSurveyed() throws {
    let scratch = try Scratch()
    try scratch.write(SmallExperiment.text, as: "x.yaml")
    let result = try scratch.run(
      "information", "x.yaml", "--chains", "1000", "--csv", "sets.csv", "--chains-csv", "all.csv",
      "--set", "data.length=100")
    #expect(result.code == 0, "\(result.errors)")
    #expect(result.errors == "")
    for part in [
      "Does the small run work?", "1000 chains drawn from the prior: d = 3, parents {1,2}, α = 0.1",
      "S* = {1,2}; Δ = Ĩ(S*) − Ĩ({1,2,3})", "paired standard errors.",
      "Entropy rate", "spectral gap", "relax slower than L = 100",
      "the theory's fast mixing does not hold for them", "No chain is reducible or periodic.",
      "written to sets.csv and all.csv",
    ] { #expect(result.output.contains(part), "\(part)\n\(result.output)") }
    let sets = try scratch.table("sets.csv")
    #expect(sets.columns.prefix(4) == ["set", "size", "modified", "modified_se"])
    #expect(
      sets.rows.map { $0[0].replacing("\"", with: "") } == [
        "1", "2", "3", "1+2", "1+3", "2+3", "1+2+3",
      ])
    #expect(sets.rows.map { $0[10] } == ["0", "0", "0", "1", "0", "0", "0"])
    let chains = try scratch.table("all.csv")
    #expect(chains.rows.count == 1000)
    #expect(chains.rows.map { $0[0] } == (0..<1000).map(String.init))
    // The table's means are those of the rows.
    for (row, set) in zip(sets.rows, ["1", "2", "3", "1+2", "1+3", "2+3", "1+2+3"]) {
      for (column, mean) in [
        ("modified", row[2]), ("standard", row[4]), ("logits", row[6]),
      ] {
        let index = try #require(chains.columns.firstIndex(of: "\(column).\(set)"))
        let sum = chains.rows.reduce(0) { $0 + (Double($1[index]) ?? .nan) }
        #expect(abs(sum / 1000 - (Double(mean) ?? .nan)) < 1e-13)
      }
    }
    #expect(try scratch.names() == ["all.csv", "sets.csv", "x.yaml"])
  }

  @Test func filesDoNotDependOnTheThreads() throws {
    let scratch = try Scratch()
    try scratch.write(SmallExperiment.text, as: "x.yaml")
    for threads in ["1", "2", "7"] {
      let result = try scratch.run(
        "information", "x.yaml", "--chains", "500", "--threads", threads, "--csv", "s\(threads)",
        "--chains-csv", "c\(threads)")
      #expect(result.code == 0)
    }
    for name in ["s", "c"] {
      #expect(try scratch.data("\(name)1") == scratch.data("\(name)2"))
      #expect(try scratch.data("\(name)1") == scratch.data("\(name)7"))
    }
  }

  private static let kernelExperiment = SmallExperiment.replacing(
    line: 5, with: "  kernel: k.txt")

  @Test func oneKernelIsMeasuredAndRun() throws {
    let scratch = try Scratch()
    try scratch.write(Self.kernelExperiment, as: "x.yaml")
    // A rotation by z₁ + 1, whatever z₂: every set tells all, S* is a matter of taste.
    var text = "# row = z1 + 3 z2\n"
    for row in 0..<9 { text += ["0 1 0", "0 0 1", "1 0 0"][row % 3] + "\n" }
    try scratch.write(text, as: "k.txt")
    let rotation = try scratch.run("information", "x.yaml", "--chains-csv", "c.csv")
    #expect(rotation.code == 0, "\(rotation.errors)")
    for part in [
      "One chain, the kernel of data.kernel", "0.66667     exact     2.00000     exact",
      "Undecided: {2} has the same Ĩ up to rounding.", "The chain is periodic",
    ] { #expect(rotation.output.contains(part), "\(rotation.output)") }
    #expect(try scratch.table("c.csv").rows.map { $0[5] } == ["3"])

    text = ""
    for row in 0..<9 { text += ["0.8 0.1 0.1", "0.2 0.7 0.1", "0.3 0.3 0.4"][row % 3] + "\n" }
    try scratch.write(text, as: "k.txt")
    let result = try scratch.run("information", "x.yaml")
    #expect(result.output.contains("S* = {1}"))
    let run = try scratch.run("run", "x.yaml", "--out", "r", "--quiet")
    #expect(run.code == 0, "\(run.errors)")
    let resolved = try scratch.text("r/experiment.yaml")
    #expect(resolved.contains("kernel: ") && !resolved.contains("concentration:"))
    // The resolved experiment is the same experiment.
    #expect(try scratch.run("run", "r/experiment.yaml", "--out", "s", "--quiet").code == 0)
    for table in tables { #expect(try scratch.data("r/\(table)") == scratch.data("s/\(table)")) }
    let expected = try scratch.run(
      "run", "x.yaml", "--out", "e", "--quiet", "--set", "loss.targets=expected")
    #expect(expected.code == 0, "\(expected.errors)")
  }

  @Test func tokensAreEstimatedWithTheirBias() throws {
    let scratch = try Scratch()
    try scratch.write(SmallExperiment.tokens("t.txt"), as: "x.yaml")
    let rows = (0..<40).map { i in (0..<31).map { (i * $0 * $0 + $0 / 3) % 3 } }
    try scratch.write(TokenFileTests.text(rows), as: "t.txt")
    let result = try scratch.run("information", "x.yaml", "--csv", "s.csv")
    #expect(result.code == 0, "\(result.errors)")
    for part in [
      "Estimated from tokens: 40 sequences of length 30, d = 3, 1120 positions",
      "Plug-in estimates lie too high on average", "n = 1120",
      "this measures the pooled law and not the mean over the kernels",
    ] { #expect(result.output.contains(part), "\(result.output)") }
    let table = try scratch.table("s.csv")
    #expect(table.columns.suffix(6).first == "modified_bias")
    #expect(try scratch.names() == ["s.csv", "t.txt", "x.yaml"])
    for (arguments, message) in [
      (["--chains", "10"], "--chains: found 10 with data.source: tokens"),
      (["--chains-csv", "c.csv"], "a token file has no chains"),
      (["--window", "31"], "--window: found a window of 31 with sequences of 30 tokens"),
      (["--largest", "5"], "--largest: found 5 with the window 3"),
    ] {
      let bad = try Program.run(["information", "x.yaml"] + arguments, in: scratch)
      #expect(bad.code == 2 && bad.output == "")
      #expect(bad.errors.contains(message), "\(bad.errors)")
    }
  }

  @Test(arguments: [
    (["--window", "1"], "x.yaml: --window: found 1 with the parent 2"),
    (["--set", "data.parents=[4]"], "x.yaml:10:3: model.window: found 3 with the parent 4"),
    (["--largest", "4"], "x.yaml: --largest: found 4"),
    (["--chains", "0"], "x.yaml: --chains: found 0"),
    (["--window", "40"], "3^41 probabilities"),
    (["--set", "data.vocabulary=70"], "x.yaml:4:3: data.parents: found a chain of 70^2 states"),
    (["--set", "data.sequences=0"], "data.sequences: found 0"),
    (["--threads", "0"], "--threads takes a whole number from 1 to 1024, not 0."),
    (["--csv", "a", "--chains-csv", "a"], "name the same file, a."),
    (["--csv", "x.yaml"], "x.yaml: exists already"),
    (["--chains-csv", "x.yaml"], "x.yaml: exists already"),
    (["--csv", "a", "--chains-csv", "gone/a.csv"], "gone/a.csv"),
    (["--csv", "gone/a.csv", "--chains-csv", "a"], "gone/a.csv"),
    (["--window", "two"], "--window"),
  ])
  func badInputWritesNothing(arguments: [String], message: String) throws {
    let scratch = try Scratch()
    try scratch.write(SmallExperiment.text, as: "x.yaml")
    let result = try Program.run(["information", "x.yaml"] + arguments, in: scratch)
    #expect(result.code == 2, "\(result.output)")
    #expect(result.output == "")
    #expect(result.errors.contains(message), "\(result.errors)")
    #expect(try scratch.names() == ["x.yaml"])
    #expect(try scratch.text("x.yaml") == SmallExperiment.text)
  }

  @Test func aFaultyKernelWritesNothing() throws {
    let scratch = try Scratch()
    try scratch.write(Self.kernelExperiment, as: "x.yaml")
    let rows = [String](repeating: "0.5 0.25 0.25", count: 9)
    var faulty = rows
    faulty[4] = "0.5 0.25 0.26"
    try scratch.write(faulty.joined(separator: "\n"), as: "k.txt")
    for command in ["information", "run"] {
      let result = try scratch.run(command, "x.yaml")
      #expect(result.code == 2)
      #expect(
        result.errors.contains("k.txt:5:1: data.kernel: found row 4 (from 0) with the sum 1.01"),
        "\(result.errors)")
    }
    try scratch.write(rows.joined(separator: "\n"), as: "k.txt")
    let result = try scratch.run("information", "x.yaml", "--chains", "5")
    #expect(result.code == 2 && result.errors.contains("--chains: found 5 with data.kernel"))
    #expect(try scratch.names() == ["k.txt", "x.yaml"])
  }

  @Test func stoppingLeavesNothing() throws {
    let scratch = try Scratch()
    try scratch.write(SmallExperiment.text, as: "x.yaml")
    let result = try scratch.run(
      "information", "x.yaml", "--chains", "100000000", "--largest", "1", "--chains-csv", "c.csv",
      whileRunning: { process in
        // Once the hidden file stands, the signals are caught.
        scratch.wait { (try? scratch.names().count) != 1 }
        kill(process, SIGINT)
      })
    #expect(result.code == 130, "\(result.errors)")
    #expect(result.errors.contains("stopped; nothing is written"))
    #expect(try scratch.names() == ["x.yaml"])
  }
}
