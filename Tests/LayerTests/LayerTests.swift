import Testing

/// The architecture, as far as reading the sources can tell.
struct LayerTests {
  @Test(arguments: LayerRule.all)
  func isKept(rule: LayerRule) throws {
    let violations = try rule.violations(PackageText.current.get())
    #expect(violations.isEmpty, "\(violations.joined(separator: "\n"))")
  }

  /// Guards the rules themselves: a pattern that matches nothing would pass for ever.
  @Test(arguments: LayerRule.all)
  func isSeenWhenBroken(rule: LayerRule) throws {
    let package = try PackageText.current.get()
    let count = rule.violations(package).count
    #expect(rule.violations(rule.breach(package)).count > count)
  }

  @Test func commentsAndTextsAreNoCode() {
    let file = SourceFile(
      path: "Sources/X/X.swift",
      text: """
        /// print(1)
        let a = "print(2) // \\"" + b  // print(3)
        let c = \"\"\"
          print(4)
          import X
          \"\"\"
        @testable import A
        public import struct B.C
        """)
    #expect(!file.code.contains("print"))
    #expect(file.words.contains("b"))
    #expect(file.imports == ["A", "B.C"])
  }

  @Test func theManifestIsRead() throws {
    let targets = try PackageText.current.get().targets
    let corpora = try #require(targets.first { $0.name == "Corpora" })
    #expect(corpora.dependencies == ["MarkovChains", "ParallelLoops"])
    #expect(corpora.responsibility?.hasPrefix("token sequences") == true)
    let records = try #require(targets.first { $0.name == "RunRecords" })
    #expect(records.dependencies == ["Crypto"])
    #expect(targets.contains { $0.isTest && $0.name == "LayerTests" })
  }
}
