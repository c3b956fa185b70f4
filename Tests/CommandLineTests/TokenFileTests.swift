import Foundation
import Testing

@Suite struct TokenFileTests {
  /// 20 sequences of 30 tokens and a target, over three tokens.
  private static let rows: [[Int]] = (0..<20).map { row in
    (0..<31).map { ($0 * $0 + row * $0 + row / 3) % 3 }
  }

  static func text(_ rows: [[Int]], separator: String = " ") -> String {
    rows.map { $0.map(String.init).joined(separator: separator) + "\n" }.joined()
  }

  private static func changed(_ row: Int, _ column: Int, to token: Int) -> [[Int]] {
    var rows = rows
    rows[row][column] = token
    return rows
  }

  /// An `.npy` file with any header and bytes.
  private static func npy(_ header: String, _ bytes: [UInt8]) -> Data {
    let padded = header + String(repeating: " ", count: 117 - header.utf8.count) + "\n"
    return Data([0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(padded.utf8) + bytes)
  }

  private static func header(_ type: String, _ shape: String, order: String = "False") -> String {
    "{'descr': '\(type)', 'fortran_order': \(order), 'shape': \(shape), }"
  }

  private static func bytes(_ rows: [[Int]]) -> [UInt8] { rows.flatMap { $0.map(UInt8.init) } }

  private func expect(
    _ scratch: Scratch, _ file: String, says parts: [String],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    try scratch.write(SmallExperiment.tokens(file), as: "x.yaml")
    let before = try scratch.names()
    let result = try scratch.run("run", "x.yaml")
    #expect(result.code == 2, sourceLocation: sourceLocation)
    for part in parts {
      #expect(
        result.errors.contains(part), "\(file): \(result.errors)", sourceLocation: sourceLocation)
    }
    #expect(result.errors.contains("What to do"), sourceLocation: sourceLocation)
    #expect(try scratch.names() == before, sourceLocation: sourceLocation)
  }

  @Test func faultsOfATextHaveTheirPlace() throws {
    let scratch = try Scratch()
    let ragged = Self.rows.enumerated().map { $0 == 3 ? Array($1.dropLast()) : $1 }
    let faults: [(text: String, says: [String])] = [
      (Self.text(Self.changed(4, 7, to: 3)), ["t.txt:5:15: data.file: found token 3", "0…2"]),
      (Self.text(Self.changed(0, 0, to: 1_000_000)), ["t.txt:1:1: data.file: found token"]),
      (Self.text(Self.changed(2, 1, to: -1)), ["t.txt:3:3: data.file: found '-'"]),
      (Self.text(ragged), ["t.txt:4:1: data.file: found 30 tokens", "31 tokens, as in line 1"]),
      ("0 1 2\n\n0 1 2\n", ["t.txt:2:1", "a line without tokens"]),
      ("", ["t.txt:1:1", "no tokens"]),
      ("0\n1\n", ["t.txt", "sequences of 1 tokens"]),
      ("0 1 2\n0 1 1\n", ["x.yaml:4:3: data.file: found sequences of 2 tokens", "more than 3"]),
      ("0 1 x\n", ["t.txt:1:5", "'x'"]),
    ]
    for (text, says) in faults {
      try scratch.write(text, as: "t.txt")
      try expect(scratch, "t.txt", says: says)
    }
  }

  @Test func faultsOfAMatrixAreNamed() throws {
    let scratch = try Scratch()
    let file = scratch.folder.appendingPathComponent("t.npy")
    let whole = Self.bytes(Self.rows)
    let faults: [(file: Data, says: [String])] = [
      (
        Self.npy(Self.header("|u1", "(20, 31)"), Self.bytes(Self.changed(4, 7, to: 3))),
        ["found token 3 in row 4, column 7 (from 0)", "tokens 0…2"]
      ),
      (
        Self.npy(Self.header("<i2", "(1, 5)"), [0, 0, 1, 0, 255, 255, 2, 0, 0, 0]),
        ["found token -1 in row 0, column 2"]
      ),
      (
        Self.npy(Self.header("<i8", "(1, 5)"), [UInt8](repeating: 255, count: 40)),
        ["found token -1 in row 0, column 0"]
      ),
      (
        Self.npy(Self.header("<u4", "(1, 5)"), [UInt8](repeating: 255, count: 20)),
        ["found 4294967295 in row 0, column 0 (from 0)", "tokens 0…2"]
      ),
      (Self.npy(Self.header("<f8", "(20, 31)"), whole), ["'<f8'", "little-endian integers"]),
      (Self.npy(Self.header(">i4", "(20, 31)"), whole), ["'>i4'"]),
      (Self.npy(Self.header("|b1", "(20, 31)"), whole), ["'|b1'"]),
      (Self.npy(Self.header("|u1", "(620,)"), whole), ["shape [620]", "one row per sequence"]),
      (Self.npy(Self.header("|u1", "(2, 10, 31)"), whole), ["shape [2, 10, 31]"]),
      (Self.npy(Self.header("|u1", "(0, 31)"), []), ["0 in all", "at least one sequence"]),
      (Self.npy(Self.header("|u1", "(620, 1)"), whole), ["sequences of 1 tokens"]),
      (Self.npy(Self.header("|u1", "(21, 31)"), whole), ["truncated", "620 bytes"]),
      (Self.npy(Self.header("|u1", "(19, 31)"), whole), ["more than one array"]),
      (
        Self.npy(Self.header("|u1", "(9223372036854775807, 9223372036854775807)"), whole),
        ["truncated"]
      ),
      (Data("hello".utf8), ["no .npy file", "numpy.save"]),
      (Data(), ["no .npy file"]),
    ]
    for (data, says) in faults {
      try data.write(to: file)
      try expect(scratch, "t.npy", says: ["t.npy: data.file: found"] + says)
    }
    try Data("PK\u{3}\u{4}".utf8).write(to: scratch.folder.appendingPathComponent("t.npz"))
    try expect(scratch, "t.npz", says: ["for .npz archives, store the array alone"])
  }

  @Test func whatIsNoFileIsRefused() throws {
    let scratch = try Scratch()
    try expect(scratch, "gone.txt", says: ["gone.txt: data.file: found no such file"])
    try expect(scratch, "gone.npy", says: ["gone.npy: data.file: found no such file"])
    let inner = scratch.folder.appendingPathComponent("inner.npy")
    try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: false)
    mkfifo(scratch.folder.appendingPathComponent("pipe").path, 0o600)
    for name in ["inner.npy", ".", "pipe", "/dev/zero"] {
      try expect(scratch, name, says: ["a folder, a device or a pipe"])
    }
  }

  @Test(arguments: ["t.txt", "t.npy"])
  func aFileLargerThanTheMemoryIsRefusedAtOnce(name: String) throws {
    let scratch = try Scratch()
    let file = scratch.folder.appendingPathComponent(name)
    // A hole of 2 TB takes no room on the disk.
    try Self.npy(Self.header("|u1", "(20000000000, 101)"), []).write(to: file)
    try #require(truncate(file.path, 128 + 2_020_000_000_000) == 0)
    try expect(scratch, name, says: ["\(name): data.file: found a file that needs up to", "TiB"])
  }

  @Test func wishesThatTheFileCannotFulfilAreRefused() throws {
    let scratch = try Scratch()
    try scratch.write(Self.text(Self.rows), as: "t.txt")
    try scratch.write(SmallExperiment.tokens("t.txt"), as: "x.yaml")
    let faults = [
      ("data.sequences=21", "found 21, but the file has 20 sequences"),
      ("data.length=31", "found 31, but the file has 30 tokens before each target"),
      ("loss.targets=expected", "a file has no kernel"),
      ("data.parents=[1]", "only with source: chains"),
    ]
    for (override, message) in faults {
      let result = try scratch.run("run", "x.yaml", "--set", override)
      #expect(result.code == 2)
      #expect(result.errors.contains("--set \(override)"))
      #expect(result.errors.contains(message), "\(result.errors)")
    }
    #expect(try scratch.names() == ["t.txt", "x.yaml"])
  }

  @Test func tokensOfChainsGiveTheTrajectoryOfTheChains() throws {
    let scratch = try Scratch()
    try scratch.write(SmallExperiment.text, as: "chains.yaml")
    let chains = try scratch.run("run", "chains.yaml", "--out", "chains", "--export-corpus")
    #expect(chains.code == 0)
    let rows = try Self.exportedTokens(scratch.data("chains/corpus.npz"), rows: 200, columns: 31)
    #expect(rows.allSatisfy { $0.allSatisfy { (0..<3).contains($0) } })

    try scratch.write(Self.text(rows), as: "spaces.txt")
    try scratch.write(
      Self.text(rows, separator: ",\t").replacing("\n", with: "\r\n"), as: "dos.txt")
    let folder = scratch.folder
    try Self.npy(Self.header("|u1", "(200, 31)"), Self.bytes(rows))
      .write(to: folder.appendingPathComponent("u1.npy"))
    try Self.npy(
      Self.header("<i8", "(200, 31)"), Self.bytes(rows).flatMap { [$0, 0, 0, 0, 0, 0, 0, 0] }
    ).write(to: folder.appendingPathComponent("i8.npy"))
    let turned = (0..<31).map { column in rows.map { $0[column] } }
    try Self.npy(
      Self.header("<i2", "(200, 31)", order: "True"), Self.bytes(turned).flatMap { [$0, 0] }
    )
    .write(to: folder.appendingPathComponent("turned.npy"))
    for file in ["spaces.txt", "dos.txt", "u1.npy", "i8.npy", "turned.npy"] {
      try scratch.write(SmallExperiment.tokens(file), as: "tokens.yaml")
      let result = try scratch.run("run", "tokens.yaml", "--out", "from-\(file)", "--quiet")
      #expect(result.code == 0, "\(result.errors)")
      for table in tables {
        #expect(try scratch.data("from-\(file)/\(table)") == scratch.data("chains/\(table)"))
      }
    }
    // A part of the file is a smaller experiment, not an error.
    let part = try scratch.run(
      "run", "tokens.yaml", "--check", "--set", "data.sequences=10", "--set", "data.length=30")
    #expect(part.output.contains("10 of length 30"))
  }

  /// The only array of an archive without compression.
  private static func exportedTokens(
    _ archive: Data, rows: Int, columns: Int
  ) throws -> [[Int]] {
    let bytes = Array(archive)
    func number(_ offset: Int) -> Int { Int(bytes[offset]) + Int(bytes[offset + 1]) << 8 }
    try #require(bytes.starts(with: [0x50, 0x4B, 3, 4]) && number(8) == 0)
    let name = String(decoding: bytes[30..<30 + number(26)], as: UTF8.self)
    #expect(name == "tokens.npy")
    let array = 30 + number(26) + number(28)
    try #require(bytes[array + 6] == 1)
    let start = array + 10 + number(array + 8)
    let header = String(decoding: bytes[array + 10..<start], as: UTF8.self)
    #expect(header.contains("(\(rows), \(columns))"))
    return (0..<rows).map { row in
      (0..<columns).map { Int(bytes[start + row * columns + $0]) }
    }
  }
}
