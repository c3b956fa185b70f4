import DeclaredKeys
import Foundation
import RunRecords

/// A file that a key of an experiment names: errors about it, and the checks before it is read.
struct InputFile {
  let path: String
  /// The key, such as `data.file`.
  let key: String
  /// What the file may be, in words.
  let allowed: String
  /// What is stored in it, in words.
  let content: String

  /// Refuses what cannot be read to its end, before anything is read.
  ///
  /// - Parameters:
  ///   - expansion: bytes of memory for each byte of the file.
  ///   - memoryLimit: bytes that may be used; nil for no limit.
  /// - Throws: that there is no such file, that it is none, or that it is too large.
  func check(expansion: Double, memoryLimit: Int?) throws(DocumentError) {
    let resolved = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    guard let attributes = try? FileManager.default.attributesOfItem(atPath: resolved) else {
      throw problem(
        .noSuchFile, at: .file(path), found: "no such file", allowed: allowed,
        advice: "check \(key); it is relative to the folder of the experiment")
    }
    if attributes[.type] as? FileAttributeType != .typeRegular {
      throw problem(
        .unreadable, at: .file(path), found: "a folder, a device or a pipe", allowed: allowed,
        advice: "name a file, or store \(content) in one first")
    }
    let bytes = expansion * ((attributes[.size] as? NSNumber)?.doubleValue ?? 0)
    if let memoryLimit, bytes > Double(memoryLimit) {
      throw problem(
        .tooLarge, at: .file(path),
        found: "a file that needs up to \(ProblemSize.text(ofBytes: bytes))",
        allowed: "\(ProblemSize.text(ofBytes: Double(memoryLimit))), the memory available",
        advice: "split the file")
    }
  }

  /// The bytes of the file.
  func bytes() throws(DocumentError) -> Data {
    do {
      return try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
    } catch {
      let reason = (error as NSError).localizedDescription
      throw problem(
        .unreadable, at: .file(path), found: "a file that cannot be read (\(reason))",
        allowed: allowed, advice: "check \(key) and the file's permissions")
    }
  }

  /// What the record layer says of the file, as a problem of the key.
  func problem(_ error: RecordError, allowed: String) -> DocumentError {
    problem(
      .unreadable, at: .file(path),
      // The line that this becomes part of says "found" already.
      found: error.words.replacing(" found", with: "", maxReplacements: 1), allowed: allowed,
      advice: error.advice.hasSuffix(".") ? String(error.advice.dropLast()) : error.advice)
  }

  func problem(
    _ kind: DocumentProblem.Kind, at place: Place, found: String, allowed: String, advice: String
  ) -> DocumentError {
    DocumentError([
      DocumentProblem(kind, at: place, key: key, found: found, allowed: allowed, advice: advice)
    ])
  }
}
