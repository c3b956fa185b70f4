import DeclaredKeys
import Foundation

/// An axis together with where it stands, for messages.
struct PlacedAxis: Sendable {
  let axis: SweepAxis
  /// Where the key is in the document.
  let address: KeyAddress
  /// Its number among the axes, from 0.
  let index: Int
  /// Where each value stands; one place for all of them if they come from a range.
  let places: [Place]
  /// Whether the values are listed.
  let isListed: Bool

  func place(of position: Int) -> Place { isListed ? places[position] : places[0] }

  func label(of position: Int) -> String {
    isListed ? "sweep[\(index)].values[\(position)]" : "sweep[\(index)]"
  }

  /// Whether a key as messages write it is the axis' own or lies inside it.
  func covers(_ key: String) -> Bool {
    [address.description, axis.key].contains { own in
      key == own || key.hasPrefix(own + ".") || key.hasPrefix(own + "[")
    }
  }
}

/// Turns `replicates` and `sweep` into a grid.
struct EnsembleReader {
  typealias Keys = ExperimentKeys

  var document: KeyedDocument
  let tree: DocumentTree
  /// The folder that paths in the document are relative to.
  let folder: URL

  mutating func axesAndGrid() throws(DocumentError) -> ([PlacedAxis], FlowGrid) {
    let problemsBefore = document.problems
    var axes: [PlacedAxis] = []
    for index in 0..<(document[Keys.sweep]?.count ?? 0) {
      guard let axis = axis(index) else { continue }
      if let other = axes.first(where: { $0.address.overlaps(axis.address) }) {
        document.reject(
          Keys.sweepKey.address(index), .repeatedElement,
          found: "\(axis.axis.key), which sweep[\(other.index)] varies already",
          allowed: "each key in one axis", advice: "put all its values into one axis")
      }
      axes.append(axis)
    }
    let replicates = document[Keys.replicates] ?? 1
    guard let grid = FlowGrid(axes: axes.map(\.axis), replicates: replicates) else {
      let sizes = axes.map { "\($0.axis.values.count)" } + (replicates > 1 ? ["\(replicates)"] : [])
      document.reject(
        axes.isEmpty ? Keys.replicates.address() : Keys.sweep.address(), .tooLarge,
        found: "a grid of \(sizes.joined(separator: " × ")) runs",
        allowed: "at most \(FlowGrid.mostRuns) runs", advice: "drop values or replicates")
      throw DocumentError(document.problems)
    }
    let isOfSweep = document.problems.contains { problem in
      ["replicates", "sweep"].contains { problem.key?.hasPrefix($0) == true }
    }
    guard isOfSweep else { return (axes, grid) }
    // What only an axis gives is not missing; all else is told together.
    let own = document.problems.dropFirst(problemsBefore.count)
    let other = problemsBefore.filter { problem in
      !axes.contains { $0.covers(problem.key ?? "") }
    }
    throw DocumentError(other + own)
  }

  private mutating func axis(_ index: Int) -> PlacedAxis? {
    let element = Keys.sweep.address().element(index)
    let range = [Keys.sweepFrom.address(index), Keys.sweepTo.address(index)]
    let count = Keys.sweepCount.address(index)
    let values = Keys.sweepValues.address(index)
    guard document.isGiven(element), !document.isFaulty(element) else { return nil }
    let hasRange = (range + [count]).contains { document.isGiven($0) }
    if document.isGiven(values) == hasRange {
      document.reject(
        element, found: hasRange ? "both values and a range" : "neither values nor a range",
        allowed: "either values, or from, to and count",
        advice: hasRange ? "write two axes, or drop one of the two" : "add the values")
      return nil
    }
    guard let key = document[Keys.sweepKey, index], let target = target(key, index) else {
      return nil
    }
    if !hasRange {
      guard let texts = document[Keys.sweepValues, index] else { return nil }
      return PlacedAxis(
        axis: SweepAxis(key: key, values: isFile(target) ? texts.map(absolute) : texts),
        address: target.address, index: index,
        places: texts.indices.map { document.place(of: values.element($0)) }, isListed: true)
    }
    guard let texts = rangeValues(index, key, target.type) else { return nil }
    return PlacedAxis(
      axis: SweepAxis(key: key, values: texts), address: target.address, index: index,
      places: [document.place(of: element)], isListed: false)
  }

  /// Where the key of an axis leads.
  private mutating func target(_ key: String, _ index: Int) -> DeclaredPath? {
    let address = Keys.sweepKey.address(index)
    do {
      let target = try tree.declaredKey(at: key)
      if let name = target.address.outermostName, Keys.ofAllFlows.contains(name) {
        document.reject(
          address, .notAllowed, found: "\(key), a key of all flows together",
          allowed: "a key of a single flow", advice: "vary another key")
        return nil
      }
      return target
    } catch {
      for problem in error.problems {
        document.reject(
          address, problem.kind == .badOverride ? .notAllowed : problem.kind,
          found: "\(key.prefix(80)), \(problem.found)",
          allowed: problem.kind == .badOverride ? "the path of a declared key" : problem.allowed,
          nearest: problem.nearest, advice: problem.advice)
      }
      return nil
    }
  }

  /// The values of a range as texts.
  private mutating func rangeValues(_ index: Int, _ key: String, _ type: KeyType) -> [String]? {
    let element = Keys.sweep.address().element(index)
    var isInteger = false
    switch type {
    case .integer: isInteger = true
    case .real: break
    default:
      document.reject(
        element, found: "a range for \(key), which takes \(type.allowed)",
        allowed: "a range for a key that takes a number", advice: "list the values")
      return nil
    }
    let parts = [
      (Keys.sweepFrom.address(index), "from"), (Keys.sweepTo.address(index), "to"),
      (Keys.sweepCount.address(index), "count"),
    ]
    let missing = parts.filter { !document.isGiven($0.0) && !document.isFaulty($0.0) }
    if !missing.isEmpty {
      document.reject(
        element, .missingKey,
        found: "a range without \(missing.map(\.1).joined(separator: " and "))",
        allowed: "from, to and count together",
        advice: "add \(missing.map(\.1).joined(separator: " and "))")
      return nil
    }
    guard let from = document[Keys.sweepFrom, index], let to = document[Keys.sweepTo, index],
      let count = document[Keys.sweepCount, index]
    else { return nil }
    if isInteger {
      for (address, end) in [(parts[0].0, from), (parts[1].0, to)] where Int(exactly: end) == nil {
        document.reject(
          address, .notAllowed, found: "\(end) for \(key)", allowed: type.allowed,
          advice: "choose a whole number")
        return nil
      }
    }
    var numbers = SweepAxis.logarithmicValues(from: from, to: to, count: count)
    if isInteger { numbers = numbers.map { $0.rounded() } }
    let distinct = Set(numbers).count
    guard distinct == count else {
      document.reject(
        parts[2].0, found: "\(count) values, of which \(distinct) differ",
        allowed: "values that all differ" + (isInteger ? ", rounded to integers" : ""),
        advice: "lower count, or list the values")
      return nil
    }
    return numbers.map { isInteger ? "\(Int($0))" : "\($0)" }
  }

  private func isFile(_ target: DeclaredPath) -> Bool {
    if case .file = target.type { true } else { false }
  }

  private func absolute(_ path: String) -> String {
    URL(fileURLWithPath: path, relativeTo: folder).standardizedFileURL.path
  }
}
