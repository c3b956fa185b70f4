/// The subsets S of heads whose products the polynomial kernel weighs, [H]_{≤D}.
///
/// All subsets with at most D elements are listed by size and then lexicographically, the empty
/// set first, whether or not it has a coefficient of its own. Every subset is one head more than
/// an earlier one, so products over all subsets cost one multiplication each.
struct HeadSubsets: Sendable, Equatable {
  /// The heads of each subset, ascending, zero-based.
  let members: [[Int]]
  /// For each non-empty subset: the subset without its largest head.
  let parents: [Int]
  /// For each non-empty subset: its largest head.
  let lastHeads: [Int]
  /// For each subset and head: the subset without that head, or −1 when the head is not in it.
  let without: [[Int]]

  init(heads: Int, degree: Int) {
    var members: [[Int]] = [[]]
    var level: [[Int]] = [[]]
    for _ in 0..<degree {
      level = level.flatMap { subset in
        ((subset.last ?? -1) + 1..<max(heads, (subset.last ?? -1) + 1)).map { subset + [$0] }
      }
      members += level
    }
    let position = Dictionary(uniqueKeysWithValues: members.enumerated().map { ($1, $0) })
    self.members = members
    parents = members.map { position[Array($0.dropLast())] ?? 0 }
    lastHeads = members.map { $0.last ?? 0 }
    without = members.map { subset in
      (0..<heads).map { head in
        subset.contains(head) ? position[subset.filter { $0 != head }] ?? -1 : -1
      }
    }
  }

  var count: Int { members.count }
}
