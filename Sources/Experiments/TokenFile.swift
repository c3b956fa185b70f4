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

  func sequences() throws(DocumentError) -> StoredSequences {
    try check()
    // An .npz archive is refused as a matrix, which says how to store the array alone.
    let isMatrix = path.hasSuffix(".npy") || path.hasSuffix(".npz")
    return isMatrix ? try matrix() : try text()
  }

  /// Refuses what cannot be read to its end, before anything is read.
  private func check() throws(DocumentError) {
    let resolved = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    guard let attributes = try? FileManager.default.attributesOfItem(atPath: resolved) else {
      throw problem(
        .noSuchFile, at: .file(path), found: "no such file",
        allowed: "a text with one sequence per line, or an .npy matrix",
        advice: "check data.file; it is relative to the folder of the experiment")
    }
    if attributes[.type] as? FileAttributeType != .typeRegular {
      throw problem(
        .unreadable, at: .file(path), found: "a folder, a device or a pipe",
        allowed: "a text with one sequence per line, or an .npy matrix",
        advice: "name a file, or store the tokens in one first")
    }
    // Numbers are held with two bytes each while they are checked, and then with one.
    let bytes = 3 * ((attributes[.size] as? NSNumber)?.doubleValue ?? 0)
    if let memoryLimit, bytes > Double(memoryLimit) {
      throw problem(
        .tooLarge, at: .file(path),
        found: "a file that needs up to \(ProblemSize.text(ofBytes: bytes))",
        allowed: "\(ProblemSize.text(ofBytes: Double(memoryLimit))), the memory available",
        advice: "split the file")
    }
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
    let matrix: NumPyMatrix<Int16>
    do {
      matrix = try NumPyMatrix<Int16>(contentsOf: path)
    } catch {
      throw problem(
        .unreadable, at: .file(path),
        // The line that this becomes part of says "found" already.
        found: error.words.replacing(" found", with: "", maxReplacements: 1),
        allowed: "a matrix of tokens 0…\(vocabulary - 1), one row per sequence, the target last",
        advice: error.advice.hasSuffix(".") ? String(error.advice.dropLast()) : error.advice)
    }
    let rows = min(matrix.rows, limit ?? matrix.rows)
    var tokens: [UInt8] = []
    tokens.reserveCapacity(rows * matrix.columns)
    for (index, token) in matrix.values.prefix(rows * matrix.columns).enumerated() {
      guard (0..<Int16(vocabulary)).contains(token) else {
        throw problem(
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
