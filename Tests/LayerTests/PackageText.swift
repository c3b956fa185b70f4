// The sources and the manifest, read from the working copy that the tests were built from.

import Foundation

/// All files that the layer rules speak of.
struct PackageText: Sendable {
  var files: [SourceFile]
  var manifest: String

  var targets: [ManifestTarget] { ManifestTarget.all(in: manifest) }

  /// The package that this test belongs to.
  static let current: Result<PackageText, any Error> = Result {
    let root = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let manifest = try String(contentsOf: root.appending(path: "Package.swift"), encoding: .utf8)
    var files: [SourceFile] = []
    for folder in ["Sources", "Tests", "plots"] {
      let names = FileManager.default.enumerator(atPath: root.appending(path: folder).path)
      while let name = names?.nextObject() as? String {
        guard name.firstMatch(of: /\.(?:swift|c|h|modulemap|py)$/) != nil else { continue }
        let text = try String(
          contentsOf: root.appending(path: folder).appending(path: name), encoding: .utf8)
        files.append(SourceFile(path: "\(folder)/\(name)", text: text))
      }
    }
    return PackageText(files: files, manifest: manifest)
  }

  /// The same package with one file more.
  func adding(_ path: String, _ text: String) -> PackageText {
    var copy = self
    copy.files.append(SourceFile(path: path, text: text))
    return copy
  }

  /// The same package with `text` replaced in the manifest.
  func replacingInManifest(_ text: String, with new: String) -> PackageText {
    var copy = self
    copy.manifest = manifest.replacing(text, with: new)
    return copy
  }
}
