import Corpora
import DeclaredKeys
import Foundation
import RunRecords

/// Reads the token file of an experiment: text with one sequence per line, or a matrix in `.npy`.
struct TokenFile {
  let path: String
  let vocabulary: Int
  let limit: Int?

  func sequences() throws(DocumentError) -> StoredSequences {
    path.hasSuffix(".npy") ? try matrix() : try text()
  }

  private func text() throws(DocumentError) -> StoredSequences {
    let bytes: Data
    do {
      bytes = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
    } catch {
      let reason = (error as NSError).localizedDescription
      throw problem(
        .unreadable, at: .file(path), found: "a file that cannot be read (\(reason))",
        allowed: "a text with one sequence per line, or an .npy matrix",
        advice: "check data.file and the file's permissions")
    }
    do {
      let text = try TokenText(bytes, vocabulary: vocabulary, limit: limit)
      return try stored(text.tokens, width: text.width)
    } catch let fault as TokenText.Fault {
      throw problem(
        .notAllowed, at: .position(file: path, line: fault.line, column: fault.column),
        found: fault.found, allowed: fault.allowed,
        advice: "correct the file, or data.vocabulary if the alphabet is larger")
    } catch {
      throw error as? DocumentError ?? DocumentError([])
    }
  }

  private func matrix() throws(DocumentError) -> StoredSequences {
    let matrix: NumPyMatrix<Int64>
    do {
      matrix = try NumPyMatrix<Int64>(contentsOf: path)
    } catch {
      throw problem(
        .unreadable, at: .file(path), found: "\(error)", allowed: "a matrix of whole numbers",
        advice: "store tokens with numpy.save, one row per sequence, the target last")
    }
    let rows = min(matrix.rows, limit ?? matrix.rows)
    var tokens: [UInt8] = []
    tokens.reserveCapacity(rows * matrix.columns)
    for (index, token) in matrix.values.prefix(rows * matrix.columns).enumerated() {
      guard (0..<Int64(vocabulary)).contains(token) else {
        throw problem(
          .notAllowed, at: .file(path),
          found:
            "token \(token) in row \(index / matrix.columns), column \(index % matrix.columns)",
          allowed: "tokens 0…\(vocabulary - 1)",
          advice: "correct the file, or data.vocabulary if the alphabet is larger")
      }
      tokens.append(UInt8(token))
    }
    return try stored(tokens, width: matrix.columns)
  }

  private func stored(_ tokens: [UInt8], width: Int) throws(DocumentError) -> StoredSequences {
    guard width >= 2, !tokens.isEmpty else {
      throw problem(
        .notAllowed, at: .file(path), found: "sequences of \(width) tokens, \(tokens.count) in all",
        allowed: "at least one sequence, with a token before the target",
        advice: "each row holds x_1…x_L and then the target x_{L+1}")
    }
    return StoredSequences(tokens: tokens, length: width - 1, vocabulary: vocabulary)
  }

  private func problem(
    _ kind: DocumentProblem.Kind, at place: Place, found: String, allowed: String, advice: String
  ) -> DocumentError {
    DocumentError([
      DocumentProblem(
        kind, at: place, key: "data.file", found: found, allowed: allowed, advice: advice)
    ])
  }
}
