import Foundation
import Testing

/// A moment at which a program stands still: a file or folder has just been put in its place.
///
/// What a test does then happens there, however fast the program or busy the machine.
struct Moment {
  /// The end of its path.
  let file: String
  /// The number of times that something is put there, with the one at which the program halts.
  var times = 1

  /// Stands before the C library: after the given rename the process stops itself, as by Ctrl-Z.
  private static let shim = """
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <errno.h>
    #include <signal.h>
    #include <stdlib.h>
    #include <string.h>
    int rename(const char *from, const char *to) {
      static int (*real)(const char *, const char *);
      static _Atomic long seen;
      if (!real) real = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");
      int code = real(from, to), error = errno;
      const char *file = getenv("HALT_FILE"), *times = getenv("HALT_TIMES");
      size_t all = strlen(to), end = file ? strlen(file) : 0;
      if (code == 0 && end > 0 && all >= end && strcmp(to + all - end, file) == 0
          && (all == end || to[all - end - 1] == '/') && ++seen == atol(times)) raise(SIGSTOP);
      errno = error;
      return code;
    }
    """

  /// The environment of a program that halts.
  ///
  /// - Parameter folder: where the library may be built that halts it.
  /// - Returns: what is added to the environment.
  /// - Throws: when there is no C compiler.
  func environment(in folder: URL) throws -> [String: String] {
    // Otherwise a clock says which checkpoints are written.
    return [
      "LD_PRELOAD": try Self.library("halt", of: Self.shim, in: folder), "HALT_FILE": file,
      "HALT_TIMES": "\(times)",
      "GRADFLOW_CHECKPOINT_SHARE": "inf",
    ]
  }

  /// Builds a library that stands before the C library, once in a folder.
  ///
  /// - Returns: its path, for `LD_PRELOAD`.
  /// - Throws: when there is no C compiler.
  static func library(_ name: String, of text: String, in folder: URL) throws -> String {
    let library = folder.appendingPathComponent(name + ".so").path
    if !FileManager.default.fileExists(atPath: library) {
      let source = folder.appendingPathComponent(name + ".c")
      try Data(text.utf8).write(to: source)
      let compiler = try Process.run(
        URL(fileURLWithPath: "/usr/bin/env"),
        arguments: ["cc", "-shared", "-fPIC", "-O1", "-o", library, source.path])
      compiler.waitUntilExit()
      try #require(compiler.terminationStatus == 0, "cc cannot build \(source.path)")
    }
    return library
  }

  /// Waits until a process stands still, for as many seconds at most.
  ///
  /// - Returns: whether it does; else it has ended, or goes on.
  static func waitForHalt(of process: pid_t, within limit: Double) -> Bool {
    let end = ContinuousClock.now + .seconds(limit)
    while ContinuousClock.now < end,
      let line = FileManager.default.contents(atPath: "/proc/\(process)/stat")
    {
      // The state stands behind the name, which is in parentheses.
      let state = String(decoding: line, as: UTF8.self).split(separator: ") ").last?.first
      if state == "T" { return true }
      if state == "Z" || state == "X" { return false }
      usleep(2000)
    }
    return false
  }
}
