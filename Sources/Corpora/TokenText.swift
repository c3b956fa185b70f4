/// Token sequences written as text, one sequence per line.
///
/// Tokens are numbers 0…d−1 separated by spaces, tabs or commas; the last one of a line is the
/// target x_{L+1}. Lines have equally many tokens; only the end of the text may be blank.
public struct TokenText: Sendable {
  /// What is wrong with a text, and where.
  public struct Fault: Error, Sendable, Equatable {
    /// The line, from 1.
    public let line: Int
    /// The column, from 1.
    public let column: Int
    /// What was found there.
    public let found: String
    /// What is allowed there.
    public let allowed: String
  }

  /// The tokens, row by row.
  public let tokens: [UInt8]
  /// Tokens per line, L + 1.
  public let width: Int

  /// Reads a text.
  ///
  /// - Parameters:
  ///   - bytes: the text, ASCII.
  ///   - vocabulary: d in 2…256.
  ///   - limit: how many sequences to take; nil for all.
  /// - Throws: ``Fault`` at the first place that is wrong.
  public init(
    _ bytes: some Collection<UInt8>, vocabulary: Int, limit: Int? = nil
  ) throws(Fault) {
    var tokens: [UInt8] = []
    var width: Int?
    var blankLine: Int?
    var number = 0
    for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      number += 1
      if let limit, let width, tokens.count / width >= limit { break }
      let before = tokens.count
      try Self.read(line, number, vocabulary, into: &tokens)
      let count = tokens.count - before
      if count == 0 {
        blankLine = blankLine ?? number
        continue
      }
      if let blankLine {
        throw Fault(
          line: blankLine, column: 1, found: "a line without tokens",
          allowed: "one sequence per line")
      }
      if let width, count != width {
        throw Fault(
          line: number, column: 1, found: "\(count) tokens",
          allowed: "\(width) tokens, as in line 1")
      }
      width = count
    }
    guard let width else {
      throw Fault(line: 1, column: 1, found: "no tokens", allowed: "one sequence per line")
    }
    self.tokens = tokens
    self.width = width
  }

  private static func read(
    _ line: some Collection<UInt8>, _ number: Int, _ vocabulary: Int, into tokens: inout [UInt8]
  ) throws(Fault) {
    var value: Int?
    var start = 1
    var column = 0
    func finish() throws(Fault) {
      guard let found = value else { return }
      guard found < vocabulary else {
        throw Fault(
          line: number, column: start, found: "token \(found)",
          allowed: "tokens 0…\(vocabulary - 1)")
      }
      tokens.append(UInt8(found))
      value = nil
    }
    for byte in line {
      column += 1
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        if value == nil { start = column }
        // Larger than any vocabulary is all that matters of a long number.
        value = min(100_000, 10 * (value ?? 0) + Int(byte - UInt8(ascii: "0")))
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: ","), UInt8(ascii: "\r"):
        try finish()
      default:
        let shown =
          byte >= 0x20 && byte < 0x7F ? "'\(Character(UnicodeScalar(byte)))'" : "byte \(byte)"
        throw Fault(
          line: number, column: column, found: shown,
          allowed: "numbers separated by spaces, tabs or commas")
      }
    }
    try finish()
  }
}
