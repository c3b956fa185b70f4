import Dispatch
import Foundation
import Synchronization
import Testing

/// The built program, run as a user runs it.
enum Program {
  /// What a finished process leaves.
  struct Result {
    let code: Int32
    let output: String
    let errors: String
    let isKilled: Bool
  }

  /// The binary stands beside the test bundle, wherever that was built.
  static let path: String = {
    let bundles = ["/proc/self/exe", CommandLine.arguments.first ?? ""]
    let candidates = bundles.map {
      URL(fileURLWithPath: $0).resolvingSymlinksInPath().deletingLastPathComponent()
        .appendingPathComponent("gradflow").path
    }
    return candidates.first { FileManager.default.isExecutableFile(atPath: $0) } ?? candidates[0]
  }()

  /// How many times longer than usual everything may take: `GRADFLOW_PATIENCE`, 1 without it.
  ///
  /// Programs that sanitizers watch are slow, and no slower test is a wrong one.
  static let patience =
    ProcessInfo.processInfo.environment["GRADFLOW_PATIENCE"].flatMap { Double($0) } ?? 1

  /// Seconds after which a program is killed, times ``patience``: nothing that tests need takes as
  /// long, but on machines that are busy elsewhere.
  private static let limit = 300.0

  /// Runs the program to its end, or to the time limit.
  ///
  /// - Parameters:
  ///   - arguments: of the program.
  ///   - scratch: the folder it runs in.
  ///   - shell: a script to start it from as `"$0" "$@"`; none by default.
  ///   - mayBeKilled: whether it may end by a signal.
  ///   - moment: when it halts, for `whileRunning`, after which it goes on; it must come to that.
  ///   - whileRunning: called once the process stands, or has halted, with its number.
  /// - Returns: what the process left.
  /// - Throws: when the process cannot be started.
  static func run(
    _ arguments: [String], in scratch: Scratch, shell: String? = nil,
    mayBeKilled: Bool = false, haltingAt moment: Moment? = nil,
    whileRunning: (pid_t) -> Void = { _ in }
  ) throws -> Result {
    // Files, because nobody would empty a pipe while this waits.
    let (output, errors) = (try scratch.captureFile(), try scratch.captureFile())
    let process = Process()
    process.executableURL = URL(fileURLWithPath: shell == nil ? path : "/bin/sh")
    process.arguments = (shell.map { ["-c", $0, path] } ?? []) + arguments
    process.currentDirectoryURL = scratch.folder
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["SWIFT_BACKTRACE": "enable=no", "TERM": "xterm"]
    ) { $1 }.merging(try moment.map { try scratch.environment(haltingAt: $0) } ?? [:]) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: errors)
    let limit = limit * patience
    let ended = DispatchSemaphore(value: 0)
    process.terminationHandler = { _ in ended.signal() }
    try process.run()
    let number = process.processIdentifier
    if let moment {
      let hasHalted = Moment.waitForHalt(of: number, within: limit)
      #expect(hasHalted, "\(arguments) did not come to \(moment)")
      if hasHalted {
        whileRunning(number)
        kill(number, SIGCONT)
      }
    } else {
      whileRunning(number)
    }
    var isLate = false
    if ended.wait(timeout: .now() + limit) == .timedOut {
      isLate = true
      kill(number, SIGKILL)
      ended.wait()
    }
    let result = Result(
      code: process.terminationStatus, output: try String(contentsOf: output, encoding: .utf8),
      errors: try String(contentsOf: errors, encoding: .utf8),
      isKilled: process.terminationReason == .uncaughtSignal)
    #expect(!isLate, "\(arguments) did not end within \(limit) s")
    #expect(
      isLate || mayBeKilled || !result.isKilled, "\(arguments) ended by signal \(result.code)")
    return result
  }
}

/// A fresh temporary folder, gone with its owner.
final class Scratch: Sendable {
  private let root: URL
  /// Where programs run.
  let folder: URL
  private let captures = Atomic<Int>(0)

  init() throws {
    root = FileManager.default.temporaryDirectory
      .appendingPathComponent("gradflow-tests-\(UInt64.random(in: .min ... .max))")
    folder = root.appendingPathComponent("folder")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: root) }

  /// A new empty file beside the folder.
  func captureFile() throws -> URL {
    let number = captures.add(1, ordering: .relaxed).newValue
    let file = root.appendingPathComponent("capture-\(number)")
    try Data().write(to: file)
    return file
  }

  /// Writes a file into the folder.
  func write(_ text: String, as name: String) throws {
    try Data(text.utf8).write(to: folder.appendingPathComponent(name))
  }

  func data(_ name: String) throws -> Data {
    try Data(contentsOf: folder.appendingPathComponent(name))
  }

  func text(_ name: String) throws -> String {
    String(decoding: try data(name), as: UTF8.self)
  }

  /// The names in the folder or one inside it, hidden ones too, sorted.
  func names(in inner: String = ".") throws -> [String] {
    try FileManager.default.contentsOfDirectory(
      atPath: folder.appendingPathComponent(inner).path
    ).sorted()
  }

  /// Runs the program here.
  func run(
    _ arguments: String..., shell: String? = nil,
    haltingAt moment: Moment? = nil, whileRunning: (pid_t) -> Void = { _ in }
  ) throws -> Program.Result {
    try Program.run(
      arguments, in: self, shell: shell, haltingAt: moment,
      whileRunning: whileRunning)
  }

  /// The environment of a program that halts at a moment.
  func environment(haltingAt moment: Moment) throws -> [String: String] {
    try moment.environment(in: root)
  }

  /// Waits, for two minutes at most, until something is so.
  func wait(until condition: () -> Bool) {
    for _ in 0..<Int(24_000 * Program.patience) {
      if condition() { return }
      usleep(5000)
    }
  }

  /// A column table of a CSV file whose cells need no quotes.
  func table(_ name: String) throws -> (columns: [String], rows: [[String]]) {
    let lines = try text(name).split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    return (lines.first ?? [], Array(lines.dropFirst()))
  }

  /// All files inside a folder by their path from there, but for what may differ from run to run.
  func files(in inner: String) throws -> [String: Data] {
    let root = folder.appendingPathComponent(inner)
    var files: [String: Data] = [:]
    for path in try FileManager.default.subpathsOfDirectory(atPath: root.path)
    where !path.hasSuffix("manifest.json") {
      let file = root.appendingPathComponent(path)
      if (try? file.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile) == true {
        files[path] = try Data(contentsOf: file)
      }
    }
    return files
  }

  /// The manifest of a run.
  func manifest(of run: String) throws -> [String: Any] {
    try #require(
      try JSONSerialization.jsonObject(with: try data("\(run)/manifest.json")) as? [String: Any])
  }

  /// The state in the manifest of a run.
  func state(of run: String) throws -> String? {
    (try manifest(of: run)["status"] as? [String: Any])?["state"] as? String
  }
}

/// The files that a finished run has, sorted.
let completeRun = [
  "events.csv", "experiment.yaml", "final.yaml", "manifest.json", "steps.csv", "trajectory.csv",
]

/// The tables that two equal runs share byte by byte.
let tables = ["events.csv", "steps.csv", "trajectory.csv"]
