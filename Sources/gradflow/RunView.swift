import Experiments
import Foundation
import GradientFlow
import Synchronization

/// Live progress of all runs of an experiment, told from whichever thread a run is on.
final class RunView: Sendable {
  private enum Kind {
    case single(ProgressView)
    case grid(GridView)
  }

  private let kind: Mutex<Kind>

  init(_ plan: EnsemblePlan) {
    kind = Mutex(
      plan.grid.isSingle ? .single(ProgressView(plan.first)) : .grid(GridView(plan.grid)))
  }

  /// Shows what goes on.
  func show(_ progress: EnsembleProgress) {
    kind.withLock { kind in
      switch (kind, progress) {
      case (.single(let view), .advanced(_, let progress)): view.show(progress)
      case (.single, _): break
      case (.grid(let view), _): view.show(progress)
      }
    }
  }

  /// Takes the line away.
  func finish() {
    kind.withLock { kind in
      switch kind {
      case .single(let view): view.finish()
      case .grid(let view): view.finish()
      }
    }
  }
}

/// Progress over many runs: how many are done, and where the others stand.
///
/// On a terminal one line is drawn over itself, elsewhere there is one line for each run that ended.
final class GridView {
  private let grid: FlowGrid
  private let isInteractive = Terminal.isInteractive
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private var lastDrawn: ContinuousClock.Instant
  private var isDrawn = false
  /// How many runs are to be done.
  private var total: Int
  private var done = 0
  private var failed = 0
  /// Where the runs that go on stand, by their index.
  private var running: [Int: (point: FlowPoint, state: String)] = [:]

  init(_ grid: FlowGrid) {
    self.grid = grid
    total = grid.count
    start = clock.now
    lastDrawn = clock.now
  }

  func show(_ progress: EnsembleProgress) {
    switch progress {
    case .counted(let count): total = count
    case .started(let point):
      running[point.index] = (point, "data")
    case .advanced(let point, let flow):
      guard isInteractive, clock.now - lastDrawn > .milliseconds(80) else { return }
      let stage =
        (flow.activity.map { "\($0), " } ?? "") + flow.stageDescription.name
        + (flow.isErrorSolve ? ", event errors" : "")
      running[point.index] = (point, "\(stage), t \(flow.time.formatted(digits: 3))")
      draw()
    case .ended(let point, let ending, let end):
      running[point.index] = nil
      done += 1
      if case .failed = ending { failed += 1 }
      if isInteractive {
        draw()
      } else {
        Terminal.note(line(point, ending, end) + "\n")
      }
    }
  }

  func finish() {
    if isDrawn { Terminal.note("\r\u{1B}[K") }
  }

  private var elapsed: Double {
    let elapsed = (clock.now - start).components
    return Double(elapsed.seconds) + Double(elapsed.attoseconds) / 1e18
  }

  /// The time so far, and, once some runs have ended, how long the others take at the same pace.
  private var seconds: String {
    let text = String(format: "%.1f s", elapsed)
    guard done >= 3, done < total else { return text }
    let rest = elapsed / Double(done) * Double(total - done)
    let shown =
      rest < 90
      ? String(format: "%.0f s", rest)
      : rest < 5400
        ? String(format: "%.0f min", rest / 60) : String(format: "%.1f h", rest / 3600)
    return "\(text), about \(shown) left"
  }

  private var count: String {
    "\(done) of \(total) done" + (failed > 0 ? ", \(failed) failed" : "")
  }

  private func draw() {
    lastDrawn = clock.now
    isDrawn = true
    let states = running.values.sorted { $0.point.index < $1.point.index }
      .map { "\($0.point.path) (\($0.state))" }
    let line = ([count, seconds] + states).joined(separator: "  ")
    Terminal.note("\r\u{1B}[K" + String(line.prefix(Terminal.width - 1)))
  }

  private func line(_ point: FlowPoint, _ ending: FlowEnding, _ end: FlowEnd?) -> String {
    let values = zip(grid.axes, point.values).map { "\($0.key) \($1.prefix(30))" }
    var parts = ["\(count): \(point.path) \(ending.name)"]
    if !values.isEmpty { parts.append(values.joined(separator: ", ")) }
    if let end { parts.append("loss \(end.loss.asLoss)") }
    parts.append(seconds)
    let others = running.values.map(\.point).sorted { $0.index < $1.index }
    if !others.isEmpty { parts.append("running " + others.map(\.path).joined(separator: ", ")) }
    return parts.joined(separator: "  ")
  }
}
