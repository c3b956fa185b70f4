/// A three-stage experiment that takes a fraction of a second.
enum SmallExperiment {
  static let lines = """
    # Does the small run work?
    data:
      vocabulary: 3
      parents: [1, 2]
      concentration: 0.1
      sequences: 200
      length: 30
    model:
      heads: 3
      window: 3
      degree: 2
    stages:
      - name: selection
        train: [c]
        until: 1.0e+2
      - name: copying
        train: [w]
        until: 1.0e+2
      - name: classification
        train: [a]
        until: 1.0e+2
    """.split(separator: "\n").map(String.init)

  static var text: String { lines.joined(separator: "\n") + "\n" }

  /// The experiment with one line, counted from 1, replaced by others.
  static func replacing(line: Int, with text: String) -> String {
    var lines = lines
    lines[line - 1] = text
    return lines.joined(separator: "\n") + "\n"
  }

  /// The experiment with more sections at its end, which begin at line 22.
  static func adding(_ text: String) -> String { self.text + text + "\n" }

  /// The experiment on a token file.
  static func tokens(_ file: String) -> String {
    (lines[0...1] + ["  source: tokens", "  file: \(file)", lines[2]] + lines[7...])
      .joined(separator: "\n") + "\n"
  }
}
