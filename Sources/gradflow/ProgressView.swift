import Experiments
import Foundation
import GradientFlow

/// Live progress on standard error: one line drawn over itself on a terminal, plain lines elsewhere.
final class ProgressView {
  private let plan: ExperimentPlan
  private let isInteractive = Terminal.isInteractive
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private var lastDrawn: ContinuousClock.Instant
  /// The decade and stage of the last plain line.
  private var lastLine = ""
  private var isDrawn = false

  init(_ plan: ExperimentPlan) {
    self.plan = plan
    start = clock.now
    lastDrawn = clock.now
  }

  /// Shows where the flow stands.
  func show(_ progress: FlowProgress) {
    if isInteractive {
      let isAtEnd = progress.time >= progress.stageDescription.duration
      guard clock.now - lastDrawn > .milliseconds(80) || isAtEnd else { return }
      lastDrawn = clock.now
      isDrawn = true
      Terminal.note("\r\u{1B}[K" + String(line(progress).prefix(Terminal.width - 1)))
    } else {
      // One line whenever the stage's clock enters another decade.
      let decade = progress.time > 0 ? max(0, Int(log10(progress.time).rounded(.down))) : 0
      let mark =
        "\(progress.activity ?? "") \(progress.isErrorSolve) \(progress.stage) \(decade)"
      guard mark != lastLine else { return }
      lastLine = mark
      Terminal.note(line(progress) + "\n")
    }
  }

  /// Takes the line away.
  func finish() {
    if isDrawn { Terminal.note("\r\u{1B}[K") }
  }

  private func line(_ progress: FlowProgress) -> String {
    let elapsed = clock.now - start
    let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
    let stage = progress.stageDescription
    let name =
      progress.activity.map { "\($0), \(stage.name)" }
      ?? (progress.isErrorSolve ? "\(stage.name) (event errors)" : stage.name)
    let parts = [
      name, bar(progress), "t \(progress.time.formatted(digits: 3))",
      "loss \(progress.loss.asLoss)", plan.summary(at: progress.parameters).progress,
      "\(progress.steps) steps", String(format: "%.1f s", seconds),
    ]
    return parts.joined(separator: "  ")
  }

  /// How much of the stage is done, on a logarithmic clock from the first sample on.
  private func bar(_ progress: FlowProgress) -> String {
    let width = 16
    let first = min(plan.sampling.first, progress.stageDescription.duration / 10)
    let whole = log(progress.stageDescription.duration) - log(first)
    let done = progress.time > first ? (log(progress.time) - log(first)) / whole : 0
    let filled = done.isFinite ? Int((min(1, max(0, done)) * Double(width)).rounded()) : 0
    return "[" + String(repeating: "█", count: filled)
      + String(repeating: "·", count: width - filled) + "]"
  }
}
