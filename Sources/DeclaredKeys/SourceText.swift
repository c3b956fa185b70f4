import Foundation

/// The text of a document, checked for what the YAML parser should never see.
struct SourceText {
  /// No document of this kind is longer than 4 MiB.
  static let byteLimit = 4 << 20

  let file: String
  let scalars: [Unicode.Scalar]

  var text: String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars)
    return String(view)
  }

  /// A text whose scalars have been checked before.
  init(file: String, checked scalars: [Unicode.Scalar]) {
    self.file = file
    self.scalars = scalars
  }

  init(contentsOf path: String) throws(DocumentError) {
    try self.init(bytes: Self.bytes(of: path), file: path)
  }

  init(bytes: Data, file: String) throws(DocumentError) {
    var scalars: [Unicode.Scalar] = []
    scalars.reserveCapacity(bytes.count)
    var decoder = UTF8()
    var iterator = bytes.makeIterator()
    decoding: while true {
      switch decoder.decode(&iterator) {
      case .scalarValue(let scalar): scalars.append(scalar)
      case .emptyInput: break decoding
      case .error:
        throw DocumentError([
          DocumentProblem(
            .notUTF8, at: Self.place(after: scalars[...], in: file),
            found: "bytes that are not UTF-8", allowed: "text in UTF-8",
            advice: "save the file as UTF-8")
        ])
      }
    }
    try self.init(scalars: scalars, file: file)
  }

  init(_ text: String, file: String) throws(DocumentError) {
    guard text.utf8.count <= Self.byteLimit else { throw Self.tooLarge(file) }
    try self.init(scalars: Array(text.unicodeScalars), file: file)
  }

  private init(scalars: [Unicode.Scalar], file: String) throws(DocumentError) {
    self.file = file
    self.scalars = scalars.first == "\u{FEFF}" ? Array(scalars.dropFirst()) : scalars
    guard let position = self.scalars.firstIndex(where: { !Self.isAllowed($0) }) else { return }
    throw DocumentError([
      DocumentProblem(
        .notYAML, at: Self.place(after: self.scalars[..<position], in: file),
        found: "the control character \(self.scalars[position].escaped(asASCII: true))",
        allowed: "printable text", advice: "remove the character")
    ])
  }

  /// The characters that YAML 1.1 allows.
  private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x09, 0x0A, 0x0D, 0x20...0x7E, 0x85, 0xA0...0xD7FF, 0xE000...0xFFFD, 0x10000...0x10FFFF:
      true
    default: false
    }
  }

  /// The line breaks of YAML 1.1.
  static func isBreak(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}": true
    default: false
    }
  }

  /// The index of the first scalar of every line.
  var lineStarts: [Int] {
    var starts = [0]
    for (index, scalar) in scalars.enumerated() where Self.isBreak(scalar) {
      if scalar == "\r", index + 1 < scalars.count, scalars[index + 1] == "\n" { continue }
      starts.append(index + 1)
    }
    return starts
  }

  /// The comment of the first line, without its `#`; nil if the line is no comment.
  var firstComment: String? {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars.prefix { !Self.isBreak($0) })
    let line = String(view).trimmingCharacters(in: .whitespaces)
    guard line.hasPrefix("#") else { return nil }
    let comment = line.drop { $0 == "#" }.trimmingCharacters(in: .whitespaces)
    return comment.isEmpty ? nil : comment
  }

  private static func place(after scalars: ArraySlice<Unicode.Scalar>, in file: String) -> Place {
    var line = 1
    var column = 1
    var previous: Unicode.Scalar?
    for scalar in scalars {
      if scalar == "\n", previous == "\r" {
        // The second half of a break that is already counted.
      } else if isBreak(scalar) {
        line += 1
        column = 1
      } else {
        column += 1
      }
      previous = scalar
    }
    return .position(file: file, line: line, column: column)
  }

  private static func tooLarge(_ file: String) -> DocumentError {
    DocumentError([
      DocumentProblem(
        .tooLarge, at: .file(file), found: "more than \(byteLimit >> 20) MiB",
        allowed: "a document of at most \(byteLimit >> 20) MiB", advice: "check the file's name")
    ])
  }

  private static func bytes(of path: String) throws(DocumentError) -> Data {
    func failure(_ kind: DocumentProblem.Kind, _ found: String, _ advice: String) -> DocumentError {
      DocumentError([
        DocumentProblem(
          kind, at: .file(path), found: found, allowed: "a readable file", advice: advice)
      ])
    }
    var isFolder: ObjCBool = false
    // A path with NUL would be cut short by the system.
    guard !path.isEmpty, !path.utf8.contains(0),
      FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    else {
      throw failure(.noSuchFile, "no such file", "check the spelling of the path")
    }
    guard !isFolder.boolValue else {
      throw failure(.isFolder, "a folder", "name a file inside it")
    }
    // One that nobody writes into would be waited for; what a shell passes as /dev/fd/63 is written.
    var status = stat()
    let isPassed =
      path == "/dev/stdin" || path.hasPrefix("/dev/fd/") || path.hasPrefix("/proc/self/fd/")
    guard isPassed || stat(path, &status) != 0 || status.st_mode & S_IFMT != S_IFIFO else {
      throw failure(.unreadable, "a pipe", "store it in a file first")
    }
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw failure(.unreadable, "a file that cannot be opened", "check its permissions")
    }
    defer { try? handle.close() }
    var bytes = Data()
    do {
      // Bounded, so that a device without end is refused too.
      while let part = try handle.read(upToCount: byteLimit + 1 - bytes.count), !part.isEmpty {
        bytes += part
        if bytes.count > byteLimit { break }
      }
    } catch {
      throw failure(.unreadable, "a file that cannot be read", "check its permissions and the disk")
    }
    guard bytes.count <= byteLimit else { throw tooLarge(path) }
    return bytes
  }
}
