import DeclaredKeys
import Foundation
import MarkovChains

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

  /// More keys than anybody varies; every axis is held against every other one.
  private static let mostAxes = 64
  /// What all drawn axes are paired by.
  private static let draws = "draws"

  var document: KeyedDocument
  let tree: DocumentTree
  /// The folder that paths in the document are relative to.
  let folder: URL

  mutating func axesAndGrid() throws(DocumentError) -> ([PlacedAxis], FlowGrid) {
    let problemsBefore = document.problems
    let count = document[Keys.sweep]?.count ?? 0
    if count > Self.mostAxes {
      document.reject(
        Keys.sweep.address(), .tooLarge, found: "\(count) axes",
        allowed: "at most \(Self.mostAxes) axes", advice: "drop axes")
      throw DocumentError(document.problems)
    }
    var axes: [PlacedAxis] = []
    for index in 0..<count {
      guard let axis = axis(index) else { continue }
      if let other = axes.first(where: { $0.address.overlaps(axis.address) }) {
        document.reject(
          Keys.sweepKey.address(index), .repeatedElement,
          found: "\(axis.axis.key), which sweep[\(other.index)] varies already",
          allowed: "each key in one axis", advice: "put all its values into one axis")
      }
      axes.append(axis)
    }
    checkPairs(axes)
    checkDraws()
    let isOfSweep = document.problems.contains { problem in
      ["replicates", "sweep", "draws"].contains { problem.key?.hasPrefix($0) == true }
    }
    if isOfSweep {
      // What only an axis gives is not missing; all else is told together.
      let own = document.problems.dropFirst(problemsBefore.count)
      let other = problemsBefore.filter { problem in
        !axes.contains { $0.covers(problem.key ?? "") }
      }
      throw DocumentError(other + own)
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
    return (axes, grid)
  }

  /// Axes of a pair have equally many values, and none of their positions twice.
  private mutating func checkPairs(_ axes: [PlacedAxis]) {
    for (pair, members) in Dictionary(grouping: axes, by: { $0.axis.pair }) {
      guard pair != nil else {
        for axis in members { checkDistinct([axis]) }
        continue
      }
      let first = members[0]
      let uneven = members.filter { $0.axis.values.count != first.axis.values.count }
      for axis in uneven {
        document.reject(
          Keys.sweepPair.address(axis.index),
          found: "\(axis.axis.values.count) values beside \(first.axis.values.count) of "
            + "sweep[\(first.index)]",
          allowed: "equally many values in all axes of a pair",
          advice: "add or drop values, or leave pair out")
      }
      // Draws of whole numbers may coincide.
      if uneven.isEmpty, pair != Self.draws { checkDistinct(members) }
    }
  }

  /// No position of axes that vary together is that of another one.
  private mutating func checkDistinct(_ axes: [PlacedAxis]) {
    guard axes[0].isListed else { return }
    var seen: [[String]: Int] = [:]
    for position in axes[0].axis.values.indices {
      let values = axes.map { $0.axis.values[position] }
      if let earlier = seen.updateValue(position, forKey: values) {
        document.reject(
          Keys.sweepValues.address(axes[0].index).element(position), .repeatedElement,
          found: values.joined(separator: ", ") + ", as at position \(earlier + 1)",
          allowed: "each element once", advice: "remove one of the two")
      }
    }
  }

  /// The elements of `sweep` whose values are drawn: ranges without count.
  private var drawn: [Int] {
    (0..<(document[Keys.sweep]?.count ?? 0)).filter { index in
      document.isGiven(Keys.sweepFrom.address(index))
        && document.isGiven(Keys.sweepTo.address(index))
        && !document.isGiven(Keys.sweepCount.address(index))
    }
  }

  private mutating func checkDraws() {
    guard document.isGiven(Keys.drawCount.address()), drawn.isEmpty else { return }
    document.reject(
      Keys.drawCount.address(),
      found: "\(document[Keys.drawCount] ?? 0) draws, and nothing to draw",
      allowed: "beside ranges without count in sweep",
      advice: "give an axis from and to without count, or remove draws")
  }

  /// For each drawn axis its fraction of the way at every point, the same for the same seed.
  private func fractions(of axis: Int, _ count: Int) -> [Double] {
    let seed = UInt64(document[Keys.drawSeed] ?? 0)
    var stream = RandomStream(seed: seed, purpose: .sweeps, index: UInt64(axis))
    guard document[Keys.drawMethod] == .latinHypercube else {
      return (0..<count).map { _ in stream.uniform() }
    }
    // Fisher and Yates, with numbers that stay the same whatever the library shuffles with.
    var slices = Array(0..<count)
    for last in slices.indices.dropFirst().reversed() {
      slices.swapAt(last, min(last, Int(stream.uniform() * Double(last + 1))))
    }
    return slices.map { (Double($0) + stream.uniform()) / Double(count) }
  }

  private mutating func axis(_ index: Int) -> PlacedAxis? {
    let element = Keys.sweep.address().element(index)
    let range = [Keys.sweepFrom.address(index), Keys.sweepTo.address(index)]
    let count = Keys.sweepCount.address(index)
    let values = Keys.sweepValues.address(index)
    guard document.isGiven(element), !document.isFaulty(element) else { return nil }
    let pair = document[Keys.sweepPair, index]
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
        axis: SweepAxis(
          key: key, values: isFile(target) ? texts.map(absolute) : texts, pair: pair),
        address: target.address, index: index,
        places: texts.indices.map { document.place(of: values.element($0)) }, isListed: true)
    }
    guard let texts = rangeValues(index, key, target.type) else { return nil }
    let isDrawn = drawn.contains(index)
    if isDrawn, pair != nil {
      document.reject(
        Keys.sweepPair.address(index), found: "the key beside a range that is drawn",
        allowed: "with values, or with from, to and count",
        advice: "remove it: all ranges that are drawn vary together")
      return nil
    }
    return PlacedAxis(
      axis: SweepAxis(key: key, values: texts, pair: isDrawn ? Self.draws : pair),
      address: target.address, index: index,
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
    ].prefix(document.isGiven(Keys.drawCount.address()) ? 2 : 3)
    let missing = parts.filter { !document.isGiven($0.0) && !document.isFaulty($0.0) }
    if !missing.isEmpty {
      document.reject(
        element, .missingKey,
        found: "a range without \(missing.map(\.1).joined(separator: " and "))",
        allowed: "from, to and count together, or without count beside draws.count",
        advice: "add \(missing.map(\.1).joined(separator: " and "))")
      return nil
    }
    guard let from = document[Keys.sweepFrom, index], let to = document[Keys.sweepTo, index],
      let count = document[Keys.sweepCount, index] ?? document[Keys.drawCount],
      let spacing = document[Keys.sweepSpacing, index]
    else { return nil }
    for (address, end) in [(parts[0].0, from), (parts[1].0, to)]
    where spacing == .logarithmic && end <= 0 {
      document.reject(
        address, .notAllowed, found: "\(end)", allowed: "a positive number, unless spacing: linear",
        advice: "raise it, or write spacing: linear")
      return nil
    }
    if isInteger {
      for (address, end) in [(parts[0].0, from), (parts[1].0, to)] where Int(exactly: end) == nil {
        document.reject(
          address, .notAllowed, found: "\(end) for \(key)", allowed: type.allowed,
          advice: "choose a whole number")
        return nil
      }
    }
    let isDrawn = drawn.contains(index)
    var numbers = SweepAxis.values(
      from: from, to: to,
      at: isDrawn ? fractions(of: index, count) : SweepAxis.evenFractions(count),
      isLogarithmic: spacing == .logarithmic)
    if isInteger { numbers = numbers.map { $0.rounded() } }
    if isDrawn { return numbers.map { isInteger ? "\(Int($0))" : "\($0)" } }
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
