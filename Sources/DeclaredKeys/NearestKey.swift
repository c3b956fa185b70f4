/// The number of insertions, deletions, replacements and swaps of neighbours between two words.
///
/// Optimal string alignment: no part of the word is edited twice. Cost O(|a|·|b|).
func editDistance(_ first: String, _ second: String) -> Int {
  let a = Array(first.unicodeScalars)
  let b = Array(second.unicodeScalars)
  guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
  var beforePrevious = [Int](repeating: 0, count: b.count + 1)
  var previous = Array(0...b.count)
  var current = previous
  for i in 1...a.count {
    current[0] = i
    for j in 1...b.count {
      let replacement = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
      current[j] = min(previous[j] + 1, current[j - 1] + 1, replacement)
      if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
        current[j] = min(current[j], beforePrevious[j - 2] + 1)
      }
    }
    (beforePrevious, previous, current) = (previous, current, beforePrevious)
  }
  return previous[b.count]
}

extension KeySchema {
  /// The declared key that an unknown one most likely stands for.
  ///
  /// The same word elsewhere comes first, then a near one in the same section, then a near one
  /// elsewhere; nil when no key is nearer than half of the word.
  func nearestKey(to name: String, in section: SchemaSection, at address: KeyAddress) -> String? {
    guard name.unicodeScalars.count <= 64 else { return nil }
    func best(_ candidates: [(path: String, name: String)], within limit: Int) -> String? {
      candidates.map { (path: $0.path, distance: editDistance(name.lowercased(), $0.name)) }
        .filter { $0.distance <= limit }
        .min { $0.distance < $1.distance }?.path
    }
    let siblings = section.names.map { (path: address.entry($0).description, name: $0) }
    let limit = max(1, name.unicodeScalars.count / 2)
    let anywhere = keys.flatMap {
      [(path: $0.path, name: $0.name), (path: $0.path, name: $0.path)]
    }
    return best(anywhere, within: 0) ?? best(siblings, within: min(2, limit))
      ?? best(anywhere, within: min(2, limit))
      ?? best(siblings, within: limit)
  }
}
