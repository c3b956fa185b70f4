import Foundation
import Testing

/// The programs in the documentation run, and print what it says.
@Suite struct SnippetTests {
  @Test func theModelOfTheTutorialFindsItsClosedForm() throws {
    let scratch = try Scratch()
    let program = URL(fileURLWithPath: Program.path).deletingLastPathComponent()
      .appendingPathComponent("AddingAModel").path
    let result = try scratch.run(shell: "exec '\(program)'")
    #expect(result.code == 0, "\(result)")
    let numbers = result.output.split(separator: " ").compactMap {
      Double($0.trimmingCharacters(in: .whitespacesAndNewlines))
    }
    try #require(numbers.count == 3, "\(result)")
    #expect(abs(numbers[0] - numbers[2]) <= numbers[1], "\(result.output)")
    let article = try String(
      contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Sources/Experiments/Experiments.docc/AddingAModel.md")
        .standardizedFileURL, encoding: .utf8)
    // Last digits are the processor's.
    #expect(article.contains("half way at \(String(result.output.dropFirst(12).prefix(8)))"))
  }
}
