import DeclaredKeys
import Foundation
import GradientFlow
import Logging
import RunRecords

/// How a run goes on where an earlier one was interrupted.
public struct Resumption: Sendable {
  /// Whether checkpoints of another program, or of other kernels, are taken all the same.
  let allowsOtherProgram: Bool
  /// Whether a checkpoint that does not fit is passed over; otherwise it is an error.
  let isLenient: Bool

  /// Goes on from the last checkpoint, and refuses one that does not fit.
  ///
  /// - Parameter allowOtherProgram: whether one of another program fits.
  public init(allowingOtherProgram allowOtherProgram: Bool) {
    allowsOtherProgram = allowOtherProgram
    isLenient = false
  }

  private init() {
    allowsOtherProgram = false
    isLenient = true
  }

  /// The manifest that an interrupted run has left.
  ///
  /// - Parameters:
  ///   - directory: where it ran.
  ///   - manifest: that of the run that goes on.
  /// - Returns: nil if it was interrupted before it wrote one.
  /// - Throws: `RecordError` when it was another experiment, or made by another program that is not allowed.
  func earlier(
    in directory: RunDirectory, than manifest: Manifest
  ) throws(RecordError) -> Manifest? {
    guard directory.has(.manifest) else { return nil }
    let earlier = try directory.manifest()
    guard earlier.experimentSHA256 == manifest.experimentSHA256, earlier.tables == nil,
      earlier.evaluated == nil
    else {
      throw RecordError(
        path: directory.path, reason: .unfit("a run of another experiment or command"),
        advice: "Resume it with the experiment.yaml it holds, or run this one into a new folder.")
    }
    if !allowsOtherProgram, let difference = earlier.difference(from: manifest) {
      throw RecordError(
        path: directory.path, reason: .unfit("a run of another program: \(difference)"),
        advice: "Resume with that program, or allow this one with --allow-other-program.")
    }
    return earlier
  }

  /// Goes on from a checkpoint that fits, and begins anew where there is none.
  static let lenient = Resumption()
}

/// The checkpoints of a run on its way: the last one in memory, and on the disk as often as that costs little.
///
/// Which of them are written has no part in what is computed: the solver starts anew at every one.
final class RunCheckpoints {
  private let store: CheckpointStore
  private let origin: CheckpointOrigin
  private let logger: Logger
  private var pending: FlowCheckpoint?
  private var lastWrite = ContinuousClock.now
  /// What writing the last one took; a guess before the first.
  private var cost = Duration.milliseconds(10)

  init(in directory: RunDirectory, from origin: CheckpointOrigin, logger: Logger) {
    store = CheckpointStore(directory)
    self.origin = origin
    self.logger = logger
  }

  /// The share of the time that writing may take: a twentieth, or what `GRADFLOW_CHECKPOINT_SHARE` says; with inf all
  /// are written.
  private static let share =
    ProcessInfo.processInfo.environment["GRADFLOW_CHECKPOINT_SHARE"].flatMap { Double($0) }
    .flatMap { $0 >= 0 ? $0 : nil } ?? 0.05

  /// Takes a checkpoint, and writes it if writing takes no more than its share of the time.
  func keep(_ checkpoint: FlowCheckpoint) {
    pending = checkpoint
    if cost / lastWrite.duration(to: .now) <= Self.share { write() }
  }

  /// Writes the last checkpoint, if it is not written yet; that it cannot be written does not end the run.
  func write() {
    guard let checkpoint = pending else { return }
    let start = ContinuousClock.now
    do throws(RecordError) {
      try store.write(checkpoint.words, from: origin)
      pending = nil
    } catch {
      logger.warning(
        "a checkpoint cannot be written; the run goes on", metadata: ["error": "\(error)"])
    }
    lastWrite = .now
    cost = max(.milliseconds(1), start.duration(to: lastWrite))
  }

  /// The newest checkpoint that is whole and fits.
  ///
  /// - Parameters:
  ///   - resumption: what fits.
  ///   - problem: the flow.
  ///   - sampling: when it is sampled.
  ///   - threads: threads to use.
  /// - Returns: nil if there is none.
  /// - Throws: `RecordError` when it does not fit.
  func newest(
    _ resumption: Resumption, of problem: FlowProblem, sampling: SampleSchedule, threads: Int
  ) throws(RecordError) -> FlowCheckpoint? {
    let found = store.newest { error in
      logger.warning("a checkpoint is passed over", metadata: ["error": "\(error)"])
    }
    guard let found else { return nil }
    let other =
      "Resume with the program that made it, or allow this one with --allow-other-program."
    let fault: (found: String, advice: String)
    if found.origin.experimentSHA256 != origin.experimentSHA256 {
      fault = ("of another experiment", "Run this one into a new folder.")
    } else if !resumption.allowsOtherProgram, found.origin.programSHA256 != origin.programSHA256 {
      fault = ("made by another program", other)
    } else if !resumption.allowsOtherProgram, found.origin.kernelPath != origin.kernelPath {
      fault = ("made with kernels for \(found.origin.kernelPath), not \(origin.kernelPath)", other)
    } else if found.origin.format != origin.format {
      fault = ("of another format", "Resume with the program that made it, or begin anew.")
    } else if let checkpoint = FlowCheckpoint(words: found.words, of: problem, sampling: sampling),
      checkpoint.isOf(
        problem, within: resumption.allowsOtherProgram ? 1e-9 : 0, threads: threads)
    {
      return checkpoint
    } else {
      fault = (
        "of other data than the experiment has now",
        "Have the files that it reads changed? Run it into a new folder."
      )
    }
    let error = RecordError(
      path: found.path, reason: .unfit("a checkpoint \(fault.found)"), advice: fault.advice)
    guard resumption.isLenient else { throw error }
    logger.warning("a checkpoint is passed over", metadata: ["error": "\(error)"])
    return nil
  }
}
