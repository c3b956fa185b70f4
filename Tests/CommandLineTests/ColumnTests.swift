import DeclaredKeys
import Experiments
import Foundation
import Testing

/// The reference of columns is held against tables that commands have just written, both ways.
@Suite struct ColumnTests {
  private static let full = """
    data: {vocabulary: 3, parents: [1, 2], concentration: 0.1, sequences: 50, length: 20}
    model:
      family: full-transformer
      heads: 2
      window: 3
      value_maps: true
      head_norm: true
      hidden: 4
      features: 4

    """

  static let experiments = [
    "gih.yaml": SmallExperiment.text + """
      claims: [G1, G2, D1]
      training: {optimizers: [gd, momentum, sgd, adam], factors: [2, 1], learning_rate: 0.5}
      evaluation: {sequences: 50, lengths: [20, 30]}

      """,
    "grid.yaml": SmallExperiment.text + """
      claims: [G1]
      replicates: 2
      sweep: [{key: data.length, values: [20, 30]}]

      """,
    "mixed.yaml": """
    model: {family: mixed-target}
    target: {proportion: 1, weight: 0.5}
    data: {length: 1000}
    initial: {sigma: 1.0e-4}
    stages: [{name: layer-2, train: [p, v1, v, w], until: 1.0e+3}]

    """,
    "mixed-grid.yaml": """
    model: {family: mixed-target}
    target: {proportion: 1, weight: 0.5}
    data: {length: 1000}
    initial: {sigma: 1.0e-4}
    stages: [{name: layer-2, train: [p, v1, v, w], until: 10}]
    sweep: [{key: data.length, values: [1000, 2000]}]

    """,
    "matrices.yaml": """
    model: {family: mixed-target, dimension: 2}
    loss: {induction: reduced}
    target: {proportion: 1, weight: 0.5}
    data: {length: 1000}
    initial: {sigma: 1.0e-4}
    stages: [{name: layer-2, train: [p, v1, v, w], until: 10}]

    """,
    "full.yaml": full + """
        bilinear: true
      stages: [{name: all, train: [wq, wk, w, wov, ln, ffn, b, a], until: 1}]

      """,
    "upper.yaml": full + """
        upper_heads: 2
        upper_window: 2
      stages: [{name: all, train: [w, upper.wq, upper.w], until: 1}]

      """,
    "full-grid.yaml": full + """
      stages: [{name: all, train: [a], until: 1}]
      sweep: [{key: data.seed, values: [1, 2]}]

      """,
    "plane.yaml": HostileExperimentTests.experiments.first { $0.name == "plane-mixed.yaml" }?.text
      ?? "",
    "tokens.yaml": SmallExperiment.tokens("tokens.txt"),
    "tokens.txt": (0..<40).map { row in
      (0...30).map { String((row * 7 + $0 * $0 + row * $0) % 3) }.joined(separator: " ") + "\n"
    }.joined(),
    "constructed.yaml": ApproximateTests.text,
  ]

  private static let commands = [
    "run gih.yaml --out gih", "run grid.yaml --out grid", "run mixed.yaml --out mixed",
    "run mixed-grid.yaml --out mixed-grid", "run matrices.yaml --out matrices",
    "run full.yaml --out full", "run upper.yaml --out upper",
    "evaluate gih --out evaluated --ablations --set evaluation.sequences=20",
    "sweep plan grid.yaml --out s", "sweep run s", "sweep collect s",
    "sweep plan mixed-grid.yaml --out m", "sweep run m", "sweep collect m",
    "sweep plan full-grid.yaml --out f", "sweep run f", "sweep collect f",
    "run full-grid.yaml --out full-grid",
    "phase-plane plane.yaml --out plane --grid 9",
    "approximate constructed.yaml --out constructed",
    "information tokens.yaml --csv gih/information.csv",
    "information gih.yaml --chains 20 --csv information.csv --chains-csv chains.csv",
  ]

  @Test func everyColumnHasItsMeaningAndEveryMeaningItsColumn() throws {
    let scratch = try Scratch()
    for (name, text) in Self.experiments { try scratch.write(text, as: name) }
    for command in Self.commands {
      let words = command.split(separator: " ").map(String.init)
      let result = try Program.run(
        words + (["sweep", "information"].contains(words[0]) ? [] : ["--quiet"]), in: scratch)
      #expect(result.code == 0 || result.code == 3, "\(command): \(result)")
    }
    let keys = Set(ExperimentKeys.schema.keys.map(\.path))
    var seen: Set<String> = []
    for path in try FileManager.default.subpathsOfDirectory(atPath: scratch.folder.path).sorted()
    where path.hasSuffix(".csv") {
      let file = path.split(separator: "/").last.map(String.init) ?? path
      let table = try #require(TableReference.table(of: file), "\(path) has no reference")
      seen.insert(file)
      for column in try scratch.table(path).columns {
        let meaning = table.column(named: column)
        #expect(meaning != nil, "\(path): \(column) has no meaning")
        // What fits any name is meant for keys, and for columns of another table.
        switch meaning?.name {
        case "‹key›": #expect(keys.contains(column), "\(path): \(column) is no key")
        case "‹name›":
          #expect(TableReference.table(of: "trajectory.csv")?.column(named: column) != nil)
        default: break
        }
        if let meaning { seen.insert("\(table.files[0]): \(meaning.name)") }
      }
    }
    let diagram = try scratch.table("s/phase-diagram.csv")
    let reached = try #require(diagram.columns.firstIndex { $0.hasPrefix("reached.") })
    #expect(diagram.rows.allSatisfy { ["yes", "no"].contains($0[reached]) })
    let unwritten = TableReference.all.flatMap { table in
      table.files + table.columns.map { "\(table.files[0]): \($0.name)" }
    }.filter { !seen.contains($0) }
    #expect(unwritten.isEmpty, "no table has them")
  }
}
