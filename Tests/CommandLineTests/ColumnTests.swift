import Experiments
import Foundation
import Testing

/// The reference of columns is held against tables that commands have just written, both ways.
@Suite struct ColumnTests {
  private static let experiments = [
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
    "full.yaml": """
    data: {vocabulary: 3, parents: [1, 2], concentration: 0.1, sequences: 50, length: 20}
    model:
      family: full-transformer
      heads: 2
      window: 3
      content: true
      value_maps: true
      attention_norm: true
      comparison: network
      hidden: 4
      features: 4
      network_norm: true
      second_attention: trained
    stages: [{name: all, train: [wq, wk, w, wov, ln, ffn, b, a], until: 1}]

    """,
    "constructed.yaml": ApproximateTests.text,
  ]

  private static let commands = [
    "run gih.yaml --out gih", "run grid.yaml --out grid", "run mixed.yaml --out mixed",
    "run mixed-grid.yaml --out mixed-grid", "run full.yaml --out full",
    "evaluate gih --out evaluated --ablations --set evaluation.sequences=20",
    "sweep plan grid.yaml --out s", "sweep run s", "sweep collect s",
    "phase-plane gih.yaml --out plane --set stages=[{name: all, train: [c], until: 10}] --set claims=[] "
      + "--set training.optimizers=[] --x share.1+2 --x-from 0.1 --x-to 0.8 --y share.1 --y-from 0.05 "
      + "--y-to 0.19 --grid 7",
    "approximate constructed.yaml --out constructed",
    "information gih.yaml --chains 20 --csv information.csv --chains-csv chains.csv",
  ]

  @Test func everyColumnHasItsMeaningAndEveryMeaningItsColumn() throws {
    let scratch = try Scratch()
    for (name, text) in Self.experiments { try scratch.write(text, as: name) }
    for command in Self.commands {
      var words: [String] = []
      for word in command.split(separator: " ").map(String.init) {
        // The value of an override may hold spaces.
        if let last = words.last, last.hasPrefix("stages=["), !last.hasSuffix("]") {
          words[words.count - 1] += " " + word
        } else {
          words.append(word)
        }
      }
      let result = try Program.run(
        words + (["sweep", "information"].contains(words[0]) ? [] : ["--quiet"]), in: scratch,
        limit: 120)
      #expect(result.code == 0 || result.code == 3, "\(command): \(result)")
    }
    var seen: Set<String> = []
    for path in try FileManager.default.subpathsOfDirectory(atPath: scratch.folder.path).sorted()
    where path.hasSuffix(".csv") {
      let file = path.split(separator: "/").last.map(String.init) ?? path
      let table = try #require(TableReference.table(of: file), "\(path) has no reference")
      seen.insert(file)
      for column in try scratch.table(path).columns {
        let meaning = table.column(named: column)
        #expect(meaning != nil, "\(path): \(column) has no meaning")
        if let meaning { seen.insert("\(table.files[0]): \(meaning.name)") }
      }
    }
    for table in TableReference.all {
      for file in table.files { #expect(seen.contains(file), "nothing writes \(file)") }
      for column in table.columns {
        #expect(
          seen.contains("\(table.files[0]): \(column.name)"),
          "\(table.files[0]): no table has \(column.name)")
      }
    }
  }
}
