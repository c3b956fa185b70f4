import DeclaredKeys
import Experiments
import Foundation
import MixedTargets
import RunRecords
import Testing

@Suite struct ApproximationTests {
  private static let small = """
    # What is measured?
    sequences: {seed: 3, samples: 2}
    bigrams:
      rates: [1, 30]
      lengths: [20]
    lags:
      - lag: 2
        heads: [1, 3]
        budgets: [100]
    patches:
      - order: 3
        heads: [2]
        nodes: [optimised]
        budgets: [100]
        length: 40
    similarities:
      - kernel: polynomial
        degree: 2
        ranks: [1, 3]

    """

  private static func read(
    _ text: String = small, _ overrides: String...
  ) throws -> ApproximationExperiment {
    try ApproximationExperiment(text: text, file: "x.yaml", overrides: overrides)
  }

  private static func problems(_ text: String, _ overrides: String...) -> [String] {
    do {
      _ = try ApproximationExperiment(text: text, file: "x.yaml", overrides: overrides)
      return []
    } catch {
      return error.problems.map(\.description)
    }
  }

  @Test func aFileIsRead() throws {
    let experiment = try Self.read()
    #expect(experiment.question == "What is measured?")
    #expect(experiment.sampling == Sampling(seed: 3, samples: 2, inputs: TokenInput.allCases))
    #expect(experiment.bigrams?.rates == [1, 30] && experiment.bigrams?.norms == [1])
    #expect(experiment.lags.map(\.heads) == [[1, 3]])
    #expect(experiment.lags[0].choices == [.fixed, .optimised])
    #expect(experiment.patches.map(\.order) == [3])
    #expect(experiment.similarities.map(\.kernel) == [.polynomial(degree: 2)])
  }

  @Test func theResolvedFileIsTheSame() throws {
    for experiment in [
      try Self.read(), try Self.read(Self.small, "patches=[]", "similarities=[]"),
      try Self.read("similarities: [{kernel: gaussian, width: 0.5, ranks: [2]}]"),
    ] {
      let resolved = experiment.resolved
      let again = try ApproximationExperiment(text: resolved, file: "y.yaml")
      #expect(again.resolved == resolved)
      #expect(again.bigrams == experiment.bigrams && again.lags == experiment.lags)
      #expect(again.patches == experiment.patches)
      #expect(again.similarities == experiment.similarities)
    }
  }

  @Test func theExperimentOfTheRepositoryIsRead() throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appending(path: "../../experiments/approximation-bounds.yaml").standardizedFileURL
    let experiment = try ApproximationExperiment(contentsOf: file.path)
    #expect(experiment.question?.hasSuffix("?") == true)
    #expect(experiment.patches.map(\.order) == [2, 3, 4, 5])
    #expect(experiment.bigrams?.rates.max() == 30 && experiment.bigrams?.lengths.max() == 100_000)
    #expect(Set(experiment.similarities.map(\.kernel.name)) == Set(SimilarityKernel.Name.allCases))
  }

  @Test(arguments: [
    (
      "patches[0].heads=[1]",
      "--set patches[0].heads=[1]: patches[0].heads[0]: found 1 shared head with order 3; "
        + "allowed: at least 2, one for each lag of the patch."
    ),
    ("patches[0].order=5", "x.yaml:12:13: patches[0].heads[0]: found 2 shared heads with order 5"),
    ("patches[0].length=3", "patches[0].length: found 3 with order 3; allowed: an integer ≥ 4"),
    ("patches[0].order=1", "patches[0].order: found 1"),
    ("lags[0].budgets=[0]", "lags[0].budgets[0]: found 0"),
    ("lags[0].budgets=[]", "lags[0].budgets: found"),
    ("lags[0].nodes=[best]", "fixed, optimised"),
    ("lags[0].lag=0", "lags[0].lag: found 0"),
    ("lags[0].head=3", "did you mean lags[0].heads?"),
    ("bigrams.rates=[0]", "bigrams.rates[0]: found 0"),
    ("bigrams.rates=[601]", "bigrams.rates[0]: found 601"),
    ("bigrams.lengths=[2]", "bigrams.lengths[0]: found 2"),
    ("bigrams.norms=[0]", "bigrams.norms[0]: found 0"),
    ("bigrams.form=square", "diagonal | ones | random"),
    ("sequences.inputs=[noise]", "uniform, signs, square-waves"),
    ("sequences.samples=0", "sequences.samples: found 0"),
    ("slots.largest_rate=0", "slots.largest_rate: found 0"),
    ("slots.positions=[1]", "slots.positions[0]: found 1"),
    ("similarities[0].width=1", "similarities[0].width: found the key with kernel: polynomial"),
    ("similarities[0].kernel=absolute", "similarities[0].degree: found the key with kernel"),
    ("similarities[0].kernel=gaussian", "similarities[0].width: found nothing"),
    ("similarities[0].kernel=sine", "gaussian | polynomial | absolute"),
    ("similarities[0].ranks=[0]", "similarities[0].ranks[0]: found 0"),
    ("nothing=1", "nothing"),
  ])
  func whatIsWrongIsNamed(override: String, message: String) {
    let problems = Self.problems(Self.small, override)
    #expect(problems.contains { $0.contains(message) }, "\(problems)")
  }

  @Test func faultsAcrossKeys() {
    let nothing = Self.problems("sequences: {seed: 1}")
    #expect(nothing.count == 1 && nothing[0].contains("at least one of bigrams.rates, lags"))
    #expect(Self.problems("lags: []").count == 1)
    #expect(Self.problems(Self.small, "bigrams.lengths=[1e7]").isEmpty)
    #expect(Self.problems("bigrams: {norms: [1]}").first?.contains("bigrams.rates") == true)
    let large = Self.problems(Self.small, "bigrams.lengths=[16777216]", "sequences.samples=100")
    #expect(large.contains { $0.contains("bigrams.lengths: found 100 sequences of 16777216") })
    let narrow = Self.problems("similarities: [{kernel: gaussian, width: 0.05, ranks: [2]}]")
    #expect(narrow.first?.contains("allowed: a real number ≥ 0.1") == true, "\(narrow)")
    let measure = Self.problems(
      "similarities: [{kernel: absolute, measure: gaussian, ranks: [2]}]")
    #expect(measure.first?.contains("similarities[0].measure") == true, "\(measure)")
  }

  // MARK: - Runs

  @Test func aRunIsRecorded() throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "gradflow-approximation-\(UInt64.random(in: .min ... .max))").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let experiment = try Self.read()
    var tables: [[Table]] = []
    for threads in [1, 2] {
      let directory = try RunDirectory.create(at: "\(folder)/\(threads)")
      var parts: [ApproximationRun.Part] = []
      let report = try ApproximationRun(
        experiment, program: ProgramDescription(version: "0", source: nil), threads: threads
      ).run(into: directory, isStopped: { false }) { parts.append($0) }
      #expect(
        parts == [
          .bigrams, .lag(2), .patches(order: 3), .similarity(.polynomial(degree: 2)),
        ])
      #expect(report.checks.map(\.isPassed) == [Bool](repeating: true, count: 7))
      #expect(report.checks.allSatisfy { $0.value <= 1 + 1e-10 && $0.value > 0 })
      let inspection = try RunDirectory.open(at: directory.path).inspection()
      #expect(inspection.isComplete, "\(inspection.problems)")
      #expect(inspection.manifest.laws == report.checks)
      #expect(
        inspection.manifest.tables == [
          "bigrams.csv", "lags.csv", "positions.csv", "patches.csv", "similarities.csv",
        ])
      tables.append(
        try report.tables.map { name, table in
          let stored = try directory.table(name)
          #expect(stored == table)
          return stored
        })
    }
    #expect(tables[0] == tables[1])
    let directory = try RunDirectory.open(at: "\(folder)/1")
    try FileManager.default.removeItem(atPath: directory.path(of: .lags))
    #expect(try directory.inspection().problems == ["lags.csv is missing."])
  }

  @Test func aStoppedRunHasNoTables() throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "gradflow-approximation-\(UInt64.random(in: .min ... .max))").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let directory = try RunDirectory.create(at: folder)
    let report = try ApproximationRun(
      Self.read(), program: ProgramDescription(version: "0", source: nil), threads: 1
    ).run(into: directory, isStopped: { true }) { _ in }
    #expect(report.isStopped)
    let manifest = try directory.manifest()
    #expect(manifest.status.state == .stopped && manifest.tables == [])
    #expect(!directory.has(.bigrams))
  }

  @Test func aBoundThatIsExceededIsSeen() {
    #expect(BoundedError(error: 1, bound: 1).holds)
    #expect(!BoundedError(error: 1 + 1e-9, bound: 1).holds)
    #expect(!BoundedError(error: .nan, bound: 1).holds)
    #expect(BoundedError(error: 0, bound: 0).holds && BoundedError(error: 0, bound: 0).ratio == 0)
  }
}
