import Foundation

/// The runs of an experiment: the product of its sweep's axes, where paired ones count as one, each point so many times.
///
/// The last axis varies fastest, and the replicates of one flow follow each other.
public struct FlowGrid: Sendable, Hashable {
  /// The axes; none for a single flow.
  public let axes: [SweepAxis]
  /// R, how many runs there are of each flow.
  public let replicates: Int
  /// How many flows there are, without their replicates.
  public let flowCount: Int
  /// The positions of the axes that vary together, in the order in which the first of them stands.
  private let groups: [[Int]]

  /// The most runs that one experiment may have.
  public static let mostRuns = 1_000_000

  /// A grid from its axes; nil if it has more than ``mostRuns`` runs.
  ///
  /// - Precondition: `replicates` ≥ 1, and axes of a pair have equally many values.
  public init?(axes: [SweepAxis], replicates: Int) {
    precondition(replicates >= 1, "a flow needs a run")
    var groups: [[Int]] = []
    for (index, axis) in axes.enumerated() {
      if let pair = axis.pair, let group = groups.firstIndex(where: { axes[$0[0]].pair == pair }) {
        precondition(
          axes[groups[group][0]].values.count == axis.values.count, "a pair is uneven")
        groups[group].append(index)
      } else {
        groups.append([index])
      }
    }
    self.groups = groups
    var count = 1
    for group in groups {
      let (product, overflows) = count.multipliedReportingOverflow(
        by: axes[group[0]].values.count)
      guard !overflows, product <= Self.mostRuns else { return nil }
      count = product
    }
    guard replicates <= Self.mostRuns / count else { return nil }
    self.axes = axes
    self.replicates = replicates
    flowCount = count
  }

  /// How many runs there are, replicates included.
  public var count: Int { flowCount * replicates }

  /// Whether there is one flow with one run, and its run directory is that of the experiment.
  public var isSingle: Bool { axes.isEmpty && replicates == 1 }

  /// The run of an index in `0..<count`.
  public subscript(index: Int) -> FlowPoint {
    precondition((0..<count).contains(index), "the grid has \(count) runs")
    let flow = index / replicates
    var rest = flow
    var positions = [Int](repeating: 0, count: axes.count)
    for group in groups.reversed() {
      let length = axes[group[0]].values.count
      for axis in group { positions[axis] = rest % length }
      rest /= length
    }
    return FlowPoint(
      index: index, flow: flow + 1, replicate: index % replicates + 1, positions: positions,
      values: zip(axes, positions).map { $0.values[$1] }, folder: folder(flow, index % replicates))
  }

  /// Runs in an order in which those with the same data follow each other, so that they can share them.
  ///
  /// - Parameter indices: indices of runs, ascending.
  /// - Returns: the same indices; those whose data differ stand in the order of the grid.
  package func sharing(_ indices: [Int]) -> [Int] {
    let ofData = axes.indices.filter { axis in
      ["data.", "loss."].contains { axes[axis].key.hasPrefix($0) }
    }
    guard ofData.count < axes.count, !ofData.isEmpty || replicates > 1 else { return indices }
    let keyed = indices.map { index in
      let point = self[index]
      return (index: index, data: ofData.map { point.positions[$0] } + [point.replicate])
    }
    return keyed.sorted {
      $0.data == $1.data ? $0.index < $1.index : $0.data.lexicographicallyPrecedes($1.data)
    }.map(\.index)
  }

  /// The axes and their values at a run: `data.length=100, initial.scale=0.01`; empty without axes.
  public func label(of point: FlowPoint) -> String {
    zip(axes, point.values).map { "\($0.key)=\(short($1))" }.joined(separator: ", ")
  }

  /// A value of an axis as people write it: 0.408248 rather than 0.4082482904638631.
  private func short(_ value: String) -> String {
    guard let number = Double(value), number.isFinite else { return value }
    return String(format: "%.6g", number)
  }

  /// The run directory of a run inside that of the experiment.
  private func folder(_ flow: Int, _ replicate: Int) -> [NumberedFolder] {
    (axes.isEmpty ? [] : [NumberedFolder(group: "flows", number: flow + 1, digits: 6)])
      + (replicates == 1
        ? [] : [NumberedFolder(group: "replicates", number: replicate + 1, digits: 3)])
  }

  /// The first run of every flow in which at most one axis, or pair, is not at its first value: together
  /// they meet every value of every axis.
  var cross: [FlowPoint] {
    var points = [self[0]]
    var stride = count
    for group in groups {
      let values = axes[group[0]].values
      stride /= values.count
      for position in values.indices.dropFirst() { points.append(self[position * stride]) }
    }
    return points
  }
}

/// One run of a grid.
public struct FlowPoint: Sendable, Hashable {
  /// Its place among all runs, from 0.
  public let index: Int
  /// The number of its flow, from 1.
  public let flow: Int
  /// r, its number among the replicates of its flow, from 1.
  public let replicate: Int
  /// For each axis the position of its value.
  public let positions: [Int]
  /// For each axis its value, as after `--set`.
  public let values: [String]
  let folder: [NumberedFolder]

  /// Where its run directory is inside that of the experiment, such as
  /// `flows/000001/replicates/001`; empty for a single flow.
  public var path: String { folder.map(\.path).joined(separator: "/") }
}

/// A numbered folder in a folder of its kind, such as `flows/000001`.
struct NumberedFolder: Sendable, Hashable {
  let group: String
  let number: Int
  let digits: Int

  var path: String {
    let text = String(number)
    return "\(group)/" + String(repeating: "0", count: max(0, digits - text.count)) + text
  }
}
