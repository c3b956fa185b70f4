import DeclaredKeys
import Experiments
import TestSupport
import Testing

struct MutationTests {
  private static let pieces: [String] = [
    "", " ", "\n", "\t", ":", ": ", "-", "- ", "[", "]", "{", "}", ",", "'", "\"", "#", "&a", "*a",
    "!", "|", ">", "%", "@", "?", "? ", "~", "null", "1e999", "-1", "0", "99999999999999999999",
    ".nan", "\u{0}", "\u{FEFF}", "\u{2028}", "é", "💡", "\r", "<<", "---\n", "...\n", "\\",
    "\u{E000}",
  ]

  /// Replaces, inserts, deletes, repeats or swaps a few pieces of the text.
  private static func mutate(_ text: [Character], _ generator: inout SeededRandom) -> String {
    var text = text
    for _ in 0..<Int.random(in: 1...4, using: &generator) {
      guard !text.isEmpty else { break }
      let start = Int.random(in: 0..<text.count, using: &generator)
      let end = min(text.count, start + Int.random(in: 0...6, using: &generator))
      switch Int.random(in: 0..<5, using: &generator) {
      case 0: text.replaceSubrange(start..<end, with: pieces.randomElement(using: &generator) ?? "")
      case 1: text.insert(contentsOf: pieces.randomElement(using: &generator) ?? "", at: start)
      case 2: text.removeSubrange(start..<end)
      case 3:
        // A whole line a second time, somewhere: duplicate keys and misplaced ones.
        let lines = String(text).split(separator: "\n", omittingEmptySubsequences: false)
        var copy = lines
        copy.insert(
          lines.randomElement(using: &generator) ?? "",
          at: Int.random(in: 0...lines.count, using: &generator))
        text = Array(copy.joined(separator: "\n"))
      default: text.swapAt(start, Int.random(in: 0..<text.count, using: &generator))
      }
    }
    return String(text)
  }

  @Test(arguments: 0..<8)
  func mutationsAreReadOrRefusedWithAPlace(batch: Int) throws {
    let text = try Array(Example.threeStage)
    for number in 0..<500 {
      let seed = UInt64(batch * 500 + number)
      var generator = SeededRandom(seed)
      let mutant = Self.mutate(text, &generator)
      switch Self.read(mutant) {
      case .success(let experiment):
        let again = Self.read(experiment.resolved)
        #expect(again == .success(experiment), "seed \(seed)")
      case .failure(let error):
        for problem in error.problems {
          let line = problem.place.line ?? (Self.hasNoLine(problem) ? 1 : 0)
          #expect(line >= 1, "seed \(seed): \(problem)")
          #expect(!problem.description.contains("\n"), "seed \(seed): \(problem)")
        }
      }
    }
  }

  private static func read(_ text: String) -> Result<Experiment, DocumentError> {
    Result { () throws(DocumentError) in try Experiment(text: text, file: "/folder/x.yaml") }
  }

  /// What is missing altogether stands on no line.
  private static func hasNoLine(_ problem: DocumentProblem) -> Bool {
    [.empty, .missingKey, .tooLarge].contains(problem.kind)
  }
}
