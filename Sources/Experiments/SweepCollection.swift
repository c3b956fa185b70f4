public import RunRecords

extension Sweep {
  /// Writes `phase-diagram.csv` and `events.csv` from the runs that stand, and how all of them stand into the manifest.
  ///
  /// A row of the diagram holds a run's swept values; then for every event its time, error bar and whether it was
  /// reached (if not, the time is a lower bound); what was selected; what claims derived and measured; loss, gradient
  /// norm and the solver's quality; and where it came from.
  ///
  /// - Returns: how many runs there are and how they stand, and whether some are of another experiment than the ledger
  ///   says.
  /// - Throws: `RecordError` when a file cannot be written.
  public func collect() throws(RecordError) -> (counts: FlowCounts, isMixed: Bool) {
    var counts = FlowCounts(total: ledger.lines.count)
    var rows: [DiagramRow] = []
    for line in ledger.lines {
      let row = DiagramRow(line, values: plan.grid[line.number - 1].values, in: directory)
      switch row.status {
      case "finished": counts.finished += 1
      case "failed": counts.failed += 1
      default: break
      }
      rows.append(row)
    }
    try directory.write(Table(rows), as: .diagram)
    try directory.collectEvents(
      of: rows.filter(\.isReadable).map {
        ([.integer($0.line.flow), .integer($0.line.replicate)], $0.line.path)
      },
      replacing: true)
    var manifest = manifest
    manifest.flows = counts
    manifest.tables = [FileName.ledger, .diagram, .events].map(\.description)
    manifest.end = .now()
    manifest.status =
      counts.failed > 0
      ? .failed("\(counts.failed) of \(counts.total) runs failed")
      : counts.finished == counts.total
        ? .finished
        : RunStatus(
          state: .stopped, message: "\(counts.total - counts.finished) runs are missing")
    try directory.write(manifest)
    return (counts, rows.contains(where: \.isOfAnother))
  }
}

/// What a run adds to the phase diagram.
private struct DiagramRow {
  let line: SweepLedger.Line
  /// The values of its axes.
  let values: [String]
  /// How it stands: finished, failed, or missing.
  private(set) var status: String
  /// Whether its files could be read.
  private(set) var isReadable = true
  /// Whether it is of another experiment than the ledger says.
  private(set) var isOfAnother = false
  /// The named values, in the order in which they are first met.
  private(set) var names: [String] = []
  private(set) var cells: [String: Cell] = [:]

  init(_ line: SweepLedger.Line, values: [String], in directory: RunDirectory) {
    self.line = line
    self.values = values
    status = "missing"
    do throws(RecordError) {
      if let run = try directory.inner(at: line.path) {
        try read(run)
      } else {
        add("experiment_sha256", .text(line.experimentSHA256))
      }
    } catch {
      status = "failed"
      isReadable = false
      add("message", .text("\(error.path): \(error.words)"))
    }
  }

  /// Takes what the files of the run hold.
  private mutating func read(_ run: RunDirectory) throws(RecordError) {
    let manifest = try run.manifest()
    status = manifest.status.state == .finished ? "finished" : "failed"
    if run.has(.events) { add(events: try run.table(.events)) }
    for quantity in manifest.quantities ?? [] {
      add(quantity.name, quantity.number.map { .real($0) } ?? .text(quantity.text ?? ""))
    }
    if run.has(.claims) { add(claims: try run.table(.claims)) }
    if let last = manifest.stages.last {
      add("loss", Cell(known: last.statistics["loss_at_end"]))
      add("gradient_norm", Cell(known: last.statistics["gradient_norm_at_end"]))
    }
    for name in manifest.stages.isEmpty ? [] : ["steps", "error_test_failures", "linear_failures"] {
      let values = manifest.stages.compactMap { $0.statistics[name] }
      add(name, .integer(Int(values.reduce(0, +))))
    }
    if !manifest.laws.isEmpty {
      add("laws_hold", .text(manifest.laws.allSatisfy(\.isPassed) ? "yes" : "no"))
    }
    add("experiment_sha256", .text(manifest.experimentSHA256))
    add("program_version", .text(manifest.programVersion))
    let source = manifest.source
    add("commit", .text((source?.commit ?? "") + (source?.isDirty == true ? "+" : "")))
    isOfAnother = manifest.experimentSHA256 != line.experimentSHA256
    let message =
      manifest.status.message
      ?? (isOfAnother ? "of another experiment than the ledger says" : nil)
    add("message", message.map { .text($0) } ?? .empty)
  }

  private mutating func add(_ name: String, _ cell: Cell) {
    if cells.updateValue(cell, forKey: name) == nil { names.append(name) }
  }

  /// Time, error bar and status of every event; of one that several stages watched for, that of the first that
  /// reached it.
  private mutating func add(events table: Table) {
    guard let name = table.columns.firstIndex(of: "name"),
      let time = table.columns.firstIndex(of: "t"),
      let error = table.columns.firstIndex(of: "t_error"),
      let status = table.columns.firstIndex(of: "status")
    else { return }
    for row in 0..<table.rowCount {
      let cells = Array(table.row(row))
      guard case .text(let event) = cells[name] else { continue }
      if self.cells["reached.\(event)"] == .text("yes") { continue }
      add("t.\(event)", cells[time])
      add("t_error.\(event)", cells[error])
      add("reached.\(event)", .text(cells[status] == .text("reached") ? "yes" : "no"))
    }
  }

  /// What every statement of a claim derived and measured; statements are numbered in their order.
  private mutating func add(claims table: Table) {
    let names = [
      "statement", "derived", "model_error", "measured", "lower", "upper", "verdict", "relation",
    ]
    let places = names.compactMap { name in table.columns.firstIndex(of: name) }
    guard let claim = table.columns.firstIndex(of: "claim"), places.count == names.count
    else { return }
    var counts: [String: Int] = [:]
    for row in 0..<table.rowCount {
      let cells = Array(table.row(row))
      guard case .text(let name) = cells[claim] else { continue }
      counts[name, default: 0] += 1
      for (part, place) in zip(names, places) {
        add("\(name).\(counts[name] ?? 0).\(part)", cells[place])
      }
    }
  }
}

extension Table {
  /// One row per run: its number and swept values, how it stands, and all that any run has.
  fileprivate init(_ rows: [DiagramRow]) {
    let axes = rows.first?.line.settings.map(\.key) ?? []
    var names: [String] = []
    var known: Set<String> = []
    // A run that failed early has but a few of them, in the same order.
    let fullest = rows.max { $0.names.count < $1.names.count }
    for name in (fullest?.names ?? []) + rows.flatMap(\.names) where known.insert(name).inserted {
      names.append(name)
    }
    self.init(columns: ["number", "flow", "replicate"] + axes + ["status"] + names)
    for row in rows {
      let line = row.line
      append(
        [.integer(line.number), .integer(line.flow), .integer(line.replicate)]
          + row.values.map { Cell(axisValue: $0) } + [.text(row.status)]
          + names.map { row.cells[$0] ?? .empty })
    }
  }
}
