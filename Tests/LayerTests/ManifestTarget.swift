// One target as the manifest states it.

/// A target of `Package.swift`, read from the text, for comments count here.
struct ManifestTarget: Sendable {
  let name: String
  let isTest: Bool

  /// Its folder, from the package's root.
  let folder: String

  /// The comment behind the opening parenthesis; nil if there is none.
  let responsibility: String?

  /// The modules it lists.
  let dependencies: [String]

  /// The targets in the order in which they stand.
  static func all(in manifest: String) -> [ManifestTarget] {
    let opening = /^ *\.(?<kind>target|executableTarget|testTarget)\((?: *\/\/ *(?<comment>.*))?/
      .anchorsMatchLineEndings()
    let openings = manifest.matches(of: opening)
    return openings.indices.compactMap { index in
      let match = openings[index]
      let end =
        index + 1 < openings.count ? openings[index + 1].range.lowerBound : manifest.endIndex
      let body = manifest[match.range.lowerBound..<end]
      guard let name = body.firstMatch(of: /name: "(.+?)"/) else { return nil }
      let isTest = match.output.kind == "testTarget"
      let folder =
        body.firstMatch(of: /path: "(.+?)"/)?.1 ?? "\(isTest ? "Tests" : "Sources")/\(name.1)"
      return ManifestTarget(
        name: String(name.1), isTest: isTest, folder: String(folder),
        responsibility: match.output.comment.map { String($0) },
        dependencies: listed(in: body))
    }
  }

  /// The names between `dependencies: [` and `]`, packages left out.
  private static func listed(in body: Substring) -> [String] {
    guard let list = body.firstMatch(of: /dependencies: \[([^\]]*)\]/) else { return [] }
    return list.1.replacing(/package: ".*?"/, with: "").matches(of: /"(.+?)"/).map { String($0.1) }
  }
}
