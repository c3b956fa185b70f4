// Scratch folders and Python, for the tests of this target.

import Foundation
import Glibc
import RunRecords

/// A folder of its own for one test, removed afterwards.
final class ScratchFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "/records-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// All names in the folder, hidden ones too.
  var names: [String] { (try? RunDirectory.entries(of: path)) ?? [] }
}

/// Runs a program; gives its exit code and output.
func output(of program: String, _ arguments: [String]) throws -> (code: Int32, text: String) {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = [program] + arguments
  let pipe = Pipe()
  process.standardOutput = pipe
  process.standardError = pipe
  try process.run()
  let data = pipe.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  return (process.terminationStatus, String(decoding: data, as: UTF8.self))
}

/// Whether there is a Python with NumPy.
let hasNumPy = (try? output(of: "python3", ["-c", "import numpy"]).code == 0) ?? false

/// Whether this process may mount file systems.
let mayMount: Bool = {
  guard geteuid() == 0, let folder = try? ScratchFolder() else { return false }
  guard (try? output(of: "mount", ["-t", "tmpfs", "none", folder.path]).code) == 0 else {
    return false
  }
  return (try? output(of: "umount", [folder.path]).code) == 0
}()

extension RecordError {
  /// The code of the failed system call.
  var code: Int32? {
    if case .systemCall(_, let code) = reason { code } else { nil }
  }

  /// The name of the failed system call.
  var call: String? {
    if case .systemCall(let name, _) = reason { name } else { nil }
  }
}

/// The error that `body` throws.
func failure(of body: () throws -> Void) -> RecordError? {
  do {
    try body()
    return nil
  } catch {
    return error as? RecordError
  }
}
