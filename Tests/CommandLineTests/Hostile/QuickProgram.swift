import Foundation
import Synchronization

/// The built program, started thousands of times: by `posix_spawn`, with limits, and what it used.
struct QuickProgram {
  /// What a process left.
  struct Result {
    /// The exit code, or the negative number of the signal that ended it.
    let code: Int32
    /// Whether it had to be killed, since it took longer than it may.
    let isLate: Bool
    let errors: String
    let seconds: Double

    /// Whether it was stopped where it could not be asked.
    var isCut: Bool { code == 130 && errors.contains("in the midst of") }
  }

  /// Where it runs; its messages go to a file beside the folder.
  let folder: String

  private var errorFile: String { folder + ".errors" }

  /// Starts it in its folder, with an address space in which nothing that tests need is large: 12 GiB.
  ///
  /// Programs that sanitizers watch have all of it, for their shadows.
  private static let start =
    "cd \"$1\" && shift && { [ -n \"$GRADFLOW_WATCHED\" ] || ulimit -v 12582912; } && exec \"$0\" \"$@\""

  /// Runs the program to its end, or kills it at a limit of seconds, times ``Program/patience``.
  func run(_ arguments: [String], limit: Double) -> Result {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
    posix_spawn_file_actions_addopen(
      &actions, 2, errorFile, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    // The parent may have signals blocked, and its children would inherit that.
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    var words = (["sh", "-c", Self.start, Program.path, folder] + arguments).map { strdup($0) }
    words.append(nil)
    var variables = ProcessInfo.processInfo.environment.merging(

      // OpenBLAS otherwise starts threads that spin, in every one of thousands of processes.
      ["SWIFT_BACKTRACE": "enable=no", "OPENBLAS_NUM_THREADS": "1"]

    ) { $1 }.map { strdup("\($0)=\($1)") }
    variables.append(nil)
    defer { for word in words + variables { free(word) } }

    var process: pid_t = 0
    let start = ContinuousClock.now
    let limit = limit * Program.patience
    guard posix_spawn(&process, "/bin/sh", &actions, &attributes, words, variables) == 0 else {
      return Result(code: .min, isLate: false, errors: "cannot be started", seconds: 0)
    }
    var (status, isLate) = (Int32(0), false)
    while waitpid(process, &status, WNOHANG) == 0 {
      if !isLate, ContinuousClock.now - start > .seconds(limit) {
        isLate = true
        kill(process, SIGKILL)
      }
      usleep(1000)
    }
    let signal = status & 0x7F
    let taken = (ContinuousClock.now - start).components
    return Result(
      code: signal == 0 ? (status >> 8) & 0xFF : -signal, isLate: isLate,
      errors: (try? Data(contentsOf: URL(fileURLWithPath: errorFile)))
        .map { String(decoding: $0, as: UTF8.self) } ?? "",
      seconds: Double(taken.seconds) + Double(taken.attoseconds) * 1e-18)
  }
}

extension QuickProgram.Result {
  /// What is wrong with the end of a process, whatever it did; nil if nothing is.
  func fault(allowing codes: Set<Int32>) -> String? {
    if isLate { return "does not end" }
    guard codes.contains(code) else { return "code \(code)" }
    if code == 2, !["What to do: ", "Usage: "].contains(where: errors.contains) {
      return "no advice"
    }
    return nil
  }
}

extension QuickProgram {
  /// Writes a file here.
  func write(_ bytes: [UInt8], to name: String) {
    _ = FileManager.default.createFile(atPath: "\(folder)/\(name)", contents: Data(bytes))
  }

  /// A file from here.
  func contents(_ name: String) -> [UInt8]? {
    FileManager.default.contents(atPath: "\(folder)/\(name)").map { [UInt8]($0) }
  }

  /// The names here, or in a folder; none where there is no such folder.
  func names(in inner: String = ".") -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(inner)"))?.sorted() ?? []
  }

  /// Removes a file or a folder.
  func remove(_ name: String) { try? FileManager.default.removeItem(atPath: "\(folder)/\(name)") }
}

/// What came of many hostile inputs.
final class HostileTally: Sendable {
  private struct State {
    var codes: [Int32: Int] = [:]
    var slowest = 0.0
    var cut = 0
    var faults: [String] = []
  }

  private let state = Mutex(State())

  /// Counts a result, and notes what was wrong with it; what was read then is kept in a file.
  func count(
    _ result: QuickProgram.Result, fault: String?, of trial: String, reading bytes: [UInt8]
  ) {
    let fault = fault.map { fault in
      let kept = FileManager.default.temporaryDirectory
        .appendingPathComponent("gradflow-mutant-\(UInt64.random(in: .min ... .max))")
      try? Data(bytes).write(to: kept)
      return "\(fault): \(trial), kept as \(kept.path)\n\(result.errors.prefix(600))"
    }
    state.withLock { state in
      state.codes[result.code, default: 0] += 1
      state.slowest = max(state.slowest, result.seconds)
      if result.isCut { state.cut += 1 }
      if let fault { state.faults.append(fault) }
    }
  }

  /// What was wrong, the first few.
  var faults: [String] { state.withLock { Array($0.faults.prefix(12)) } }

  /// How often a code came.
  func count(of code: Int32) -> Int { state.withLock { $0.codes[code, default: 0] } }

  /// All counts in one line.
  var description: String {
    state.withLock { state in
      let codes = state.codes.sorted { $0.key < $1.key }.map { "\($0.value) with code \($0.key)" }
      return "\(state.codes.values.reduce(0, +)): \(codes.joined(separator: ", ")); "
        + "\(state.faults.count) faults; slowest \(String(format: "%.2f", state.slowest)) s"
        + (state.cut > 0 ? "; \(state.cut) of those with 130 only after 20 s" : "")
    }
  }
}

/// Calls `body` with every number below `count`, on all cores, each in a folder that no other one uses.
func hostileTrials(_ count: Int, in scratch: Scratch, _ body: @Sendable (Int, QuickProgram) -> Void)
{
  let workers = ProcessInfo.processInfo.activeProcessorCount
  let next = Atomic<Int>(0)
  DispatchQueue.concurrentPerform(iterations: workers) { worker in
    let folder = scratch.folder.appendingPathComponent("worker\(worker)").path
    mkdir(folder, 0o700)
    while true {
      let trial = next.add(1, ordering: .relaxed).oldValue
      guard trial < count else { return }
      body(trial, QuickProgram(folder: folder))
    }
  }
}

extension ProcessInfo {
  /// A whole number from the environment.
  func count(_ name: String, default value: Int) -> Int {
    environment[name].flatMap { Int($0) } ?? value
  }
}
