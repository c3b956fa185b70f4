import Corpora
import DeclaredKeys
import Foundation
import RunRecords

/// Reads the token file of an experiment: text with one sequence per line, or a matrix in `.npy`.
struct TokenFile {
  let path: String
  let vocabulary: Int
  let limit: Int?
  /// Bytes that may be used; nil for no limit.
  let memoryLimit: Int?

  private var file: InputFile {
    InputFile(
      path: path, key: "data.file",
      allowed: "a text with one sequence per line, or an .npy matrix", content: "the tokens")
  }

  func sequences() throws(DocumentError) -> StoredSequences {
    // Numbers are held with two bytes each while they are checked, and then with one.
    try file.check(expansion: 3, memoryLimit: memoryLimit)
    // An .npz archive is refused as a matrix, which says how to store the array alone.
    let isMatrix = path.hasSuffix(".npy") || path.hasSuffix(".npz")
    return isMatrix ? try matrix() : try text()
  }

  private func text() throws(DocumentError) -> StoredSequences {
    let bytes = try file.bytes()
    do {
      let text = try TokenText(bytes, vocabulary: vocabulary, limit: limit)
      return try stored(text.tokens, width: text.width)
    } catch let fault as TokenText.Fault {
      throw file.problem(
        .notAllowed, at: .position(file: path, line: fault.line, column: fault.column),
        found: fault.found, allowed: fault.allowed,
        advice: "correct the file, or data.vocabulary if the alphabet is larger")
    } catch {
      throw error as? DocumentError ?? DocumentError([])
    }
  }

  private func matrix() throws(DocumentError) -> StoredSequences {
    let matrix: NumPyMatrix<Int16>
    do {
      matrix = try NumPyMatrix<Int16>(contentsOf: path)
    } catch {
      throw file.problem(
        error,
        allowed: "a matrix of tokens 0…\(vocabulary - 1), one row per sequence, the target last")
    }
    let rows = min(matrix.rows, limit ?? matrix.rows)
    var tokens: [UInt8] = []
    tokens.reserveCapacity(rows * matrix.columns)
    for (index, token) in matrix.values.prefix(rows * matrix.columns).enumerated() {
      guard (0..<Int16(vocabulary)).contains(token) else {
        throw file.problem(
          .notAllowed, at: .file(path),
          found:
            "token \(token) in row \(index / matrix.columns), column \(index % matrix.columns) (from 0)",
          allowed: "tokens 0…\(vocabulary - 1)",
          advice: "correct the file, or data.vocabulary if the alphabet is larger")
      }
      tokens.append(UInt8(token))
    }
    return try stored(tokens, width: matrix.columns)
  }

  private func stored(_ tokens: [UInt8], width: Int) throws(DocumentError) -> StoredSequences {
    guard width >= 2, !tokens.isEmpty else {
      throw file.problem(
        .notAllowed, at: .file(path), found: "sequences of \(width) tokens, \(tokens.count) in all",
        allowed: "at least one sequence, with a token before the target",
        advice: "each row holds x_1…x_L and then the target x_{L+1}")
    }
    return StoredSequences(tokens: tokens, length: width - 1, vocabulary: vocabulary)
  }
}
