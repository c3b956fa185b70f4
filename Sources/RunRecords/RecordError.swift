// The one error of the record layer: which file, what happened, what to do.

import Foundation
import Glibc

/// A failure to write or read part of a run directory.
public struct RecordError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What happened.
  public enum Reason: Equatable, Sendable {
    /// A system call failed; `code` is its `errno`.
    case systemCall(name: String, code: Int32)
    /// The folder of a new run exists already.
    case alreadyExists
    /// Another process writes into the folder.
    case inUse
    /// What stands there does not go together with what is asked for; the text says why.
    case unfit(String)
    /// A name that would lead out of the run directory, or that no file may have.
    case invalidName
    /// The folder is no run directory; `missing` names the file that makes it one.
    case notARun(missing: String)
    /// The content is not what the format demands; the text says what was found and where.
    case malformed(String)
  }

  /// The file or folder concerned.
  public let path: String
  /// What happened.
  public let reason: Reason
  /// A sentence on what to try.
  public let advice: String

  /// Whether nothing was begun, because what was asked for cannot be.
  public let isRefusal: Bool

  /// Creates an error about the file or folder at `path`.
  ///
  /// - Parameters:
  ///   - path: the file or folder concerned.
  ///   - reason: what happened.
  ///   - advice: a sentence on what to try.
  ///   - isRefusal: whether nothing was begun; by default as the reason says.
  public init(path: String, reason: Reason, advice: String, isRefusal: Bool? = nil) {
    self.path = path
    self.reason = reason
    self.advice = advice
    self.isRefusal =
      isRefusal
      ?? {
        switch reason {
        case .alreadyExists, .inUse, .unfit, .invalidName, .notARun: true
        case .systemCall, .malformed: false
        }
      }()
  }

  /// The same error, met before anything was begun.
  var asRefusal: RecordError {
    RecordError(path: path, reason: reason, advice: advice, isRefusal: true)
  }

  /// The error of a system call that has just failed with `code`.
  init(path: String, call: String, code: Int32) {
    self.init(
      path: path, reason: .systemCall(name: call, code: code),
      advice: Self.advice(code: code))
  }

  /// Path, failing call, the system's words, and what to do, as one line.
  public var description: String {
    if case .invalidName = reason { return "\"\(path)\" is \(words). What to do: \(advice)" }
    return "\(path): \(words). What to do: \(advice)"
  }

  /// What happened in words, for a message that names the path and the advice itself.
  public var words: String {
    switch reason {
    case .systemCall(let name, let code):
      "\(name) failed with \(Self.name(code: code)) (\(Self.text(code: code)))"
    case .alreadyExists: "exists already"
    case .inUse: "in use by another process"
    case .unfit(let found): found
    case .invalidName: "not a name for a file of a run"
    case .notARun(let missing): "not a run directory, it has no \(missing)"
    case .malformed(let found): found
    }
  }

  /// The system's words for an `errno`.
  static func text(code: Int32) -> String {
    strerror(code).map { String(cString: $0) } ?? "error \(code)"
  }

  /// The symbol of an `errno`, or its number.
  private static func name(code: Int32) -> String {
    switch code {
    case ENOENT: "ENOENT"
    case EACCES: "EACCES"
    case EPERM: "EPERM"
    case EEXIST: "EEXIST"
    case ENOTDIR: "ENOTDIR"
    case EISDIR: "EISDIR"
    case ENOSPC: "ENOSPC"
    case EDQUOT: "EDQUOT"
    case EROFS: "EROFS"
    case EIO: "EIO"
    case EFBIG: "EFBIG"
    case EMFILE: "EMFILE"
    case ENFILE: "ENFILE"
    case ENAMETOOLONG: "ENAMETOOLONG"
    case ENOTEMPTY: "ENOTEMPTY"
    case ELOOP: "ELOOP"
    case EINVAL: "EINVAL"
    default: "errno \(code)"
    }
  }

  private static func advice(code: Int32) -> String {
    switch code {
    case ENOENT: "Check the spelling, and create the folder it should stand in first."
    case EACCES, EPERM: "Choose a folder that you may write to, or change its permissions."
    case ENOTDIR: "A part of the path is a file, not a folder; choose another folder."
    case EISDIR: "A folder stands where the file belongs; move it away."
    case ENOSPC, EDQUOT: "Free some space, or choose a folder on another disk."
    case EROFS: "The file system is read-only; choose a folder on another disk."
    case EIO: "The disk reports a fault; choose a folder on another disk."
    case EFBIG: "The file exceeds the size limit; raise `ulimit -f` or record fewer samples."
    case EMFILE, ENFILE: "Too many files are open; raise `ulimit -n`."
    case ENAMETOOLONG: "Choose a shorter name."
    case ENOTEMPTY: "The folder holds files that the run did not write; move them away."
    default: "Choose another folder."
    }
  }
}
