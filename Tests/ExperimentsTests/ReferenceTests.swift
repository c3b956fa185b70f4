import Experiments
import Foundation
import Testing

/// The reference in the documentation is what the program declares.
///
/// After a change, `GRADFLOW_WRITE_REFERENCE=1 swift test --filter ReferenceTests` writes it anew.
@Suite struct ReferenceTests {
  private static let catalog = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appending(path: "../../Sources/Experiments/Experiments.docc").standardizedFileURL

  private static let articles: [(name: String, text: String)] = [
    (
      "EveryKey.md",
      """
      # Every key of an experiment

      What may stand in an experiment file, section by section.

      ## Overview

      Made from the declarations that the parser reads by. `stages[].until` is a key of every element of the list `stages`; `--set stages.copying.until=1e7` and
      `--set 'stages[1].until=1e7'` set it for one run. The keys of `gradflow approximate` stand at the end.

      ## Keys of an experiment

      \(Experiment.reference)
      ## Keys of constructed transformers

      \(ApproximationExperiment.reference)
      """
    ),
    (
      "EveryColumn.md",
      """
      # Every column of every table

      What the CSV files of a run directory hold.

      ## Overview

      Made from declarations that a test holds against the tables of real runs. A name in ‹ › is filled in by the run: `c.‹S›` is `c.1+2` for the set of the heads 1 and 2.
      Columns stand in this order, but those of keys, which come after `replicate` or `flow`. Empty cells are values that do not exist. No cell holds a NaN.

      \(TableReference.markdown)
      """
    ),
  ]

  @Test(arguments: articles.indices) func theReferenceIsWhatIsDeclared(index: Int) throws {
    let (name, text) = Self.articles[index]
    let file = Self.catalog.appending(path: name)
    if ProcessInfo.processInfo.environment["GRADFLOW_WRITE_REFERENCE"] != nil {
      try Data(text.utf8).write(to: file)
    }
    #expect(
      try String(contentsOf: file, encoding: .utf8) == text,
      "\(name) is not what is declared: GRADFLOW_WRITE_REFERENCE=1 swift test --filter ReferenceTests"
    )
  }

  @Test(arguments: [
    ("c.‹S›", "c.1+2", true), ("c.‹S›", "c.", false), ("a", "ab", false),
    ("‹key›", "data.length", true),
    ("‹claim›.‹n›.derived", "G2.1.derived", true), ("‹claim›.‹n›.relation", "G2.1.relation", true),
    ("‹claim›.‹n›.derived", "G2.derived", false),
    ("gradient_norm.‹group›", "gradient_norm", false),
  ])
  func namesFitPatterns(pattern: String, name: String, fits: Bool) throws {
    let column = try #require(
      TableReference.all.flatMap(\.columns).first { $0.name == pattern }, "\(pattern)")
    #expect(column.matches(name) == fits, "\(pattern)")
  }
}
