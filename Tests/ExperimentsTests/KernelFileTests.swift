import DeclaredKeys
import Experiments
import Foundation
import MarkovChains
import Testing

struct KernelFileTests {
  /// A folder with an experiment on a kernel of parents {1, 2} over two tokens.
  private final class Folder {
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("gradflow-kernel-\(UInt64.random(in: .min ... .max))")

    init() throws {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(at: url) }

    func write(_ text: String, _ name: String) throws {
      try write(Data(text.utf8), name)
    }

    func write(_ data: Data, _ name: String) throws {
      let path = url.appendingPathComponent(name).path
      try #require(FileManager.default.createFile(atPath: path, contents: data))
    }

    func plan(_ name: String, _ overrides: String...) throws -> InformationPlan {
      let text = Example.minimal.replacing("concentration: 0.1", with: "kernel: \(name)")
        .replacing("vocabulary: 3", with: "vocabulary: 2")
      try write(text, "x.yaml")
      return try InformationPlan(
        LoadedExperiment(
          contentsOf: url.appendingPathComponent("x.yaml").path, overrides: overrides))
    }

    func rows(_ name: String) throws -> [Double] {
      guard case .kernel(let chain) = try plan(name).source else {
        Issue.record("no kernel")
        return []
      }
      return chain.rows
    }

    /// What is said of a faulty file.
    func message(_ name: String, _ overrides: String...) -> String {
      do {
        _ = try plan(name)
        return ""
      } catch {
        return "\(error)"
      }
    }
  }

  static let rows = [0.25, 0.75, 1, 0, 0.5, 0.5, 0.125, 0.875]

  static func npy(
    _ descriptor: String, _ shape: String, _ values: [Double], order: String = "False"
  )
    -> Data
  {
    let header = "{'descr': '\(descriptor)', 'fortran_order': \(order), 'shape': \(shape), }\n"
    var data = Data([0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0])
    data += Data(header.utf8)
    for value in values {
      withUnsafeBytes(of: value.bitPattern.littleEndian) { data += Data($0) }
    }
    return data
  }

  @Test func textAndMatricesGiveTheSameKernel() throws {
    let folder = try Folder()
    try folder.write(
      "# a kernel\n\n.25 0.75 # 00\n1,0\r\n\t5e-1, 5e-1\n   \n0.125 .875# 11", "k.txt")
    try folder.write(Self.npy("<f8", "(4, 2)", Self.rows), "k.npy")
    let turned = [0, 2, 4, 6, 1, 3, 5, 7].map { Self.rows[$0] }
    try folder.write(Self.npy("<f8", "(4, 2)", turned, order: "True"), "turned.npy")
    for name in ["k.txt", "k.npy", "turned.npy"] {
      #expect(try folder.rows(name) == Self.rows, "\(name)")
    }
  }

  @Test func rowsAreDividedByTheirSum() throws {
    let folder = try Folder()
    try folder.write("0.3333333335 0.666666667\n1 0\n1 0\n1 0\n", "k.txt")
    #expect(abs(try folder.rows("k.txt").prefix(2).reduce(0, +) - 1) < 1e-15)
  }

  @Test(arguments: [
    ("0.5 0.5\n1 -0.0001\n1 0\n1 0", ["k.txt:2:3: data.kernel: found -0.0001 in row 1, column 1"]),
    ("0.5 0.5\n1 0\nnan 0\n1 0", ["k.txt:3:1: data.kernel: found nan in row 2, column 0"]),
    ("0.5 0.5\n1 0\n1 0\ninf 0", ["k.txt:4:1", "finite and not negative"]),
    (
      "# one\n0.5 0.5\n1 0.00000001\n1 0\n1 0",
      ["k.txt:3:1: data.kernel: found row 1 (from 0) with the sum 1.00000001", "within 1e-09"]
    ),
    ("0.5 0.4\n1 0\n1 0\n1 0", ["k.txt:1:1", "row 0 (from 0) with the sum 0.9"]),
    (
      "0.5 0.5\n1 0\n1 0", ["k.txt: data.kernel: found 3 rows", "4 rows of 2 numbers", "2 parents"]
    ),
    ("1 0\n1 0\n1 0\n1 0\n1 0", ["found 5 rows", "4 rows of 2 numbers, 2^2 contexts"]),
    ("1 0\n1 0 0\n1 0\n1 0", ["k.txt:2:1", "3 numbers in row 1 (from 0)", "4 rows of 2"]),
    ("1 0\n1\n1 0\n1 0", ["k.txt:2:1", "1 numbers in row 1"]),
    ("1 0\n1 x\n1 0\n1 0", ["k.txt:2:3", "'x' in row 1 (from 0)"]),
    ("0x1 0\n1 0\n1 0\n1 0", ["k.txt:1:1", "'0x1'"]),
    ("", ["found 0 rows"]),
  ])
  func faultsOfATextHaveTheirPlace(text: String, says: [String]) throws {
    let folder = try Folder()
    try folder.write(text, "k.txt")
    let message = folder.message("k.txt")
    for part in says { #expect(message.contains(part), "\(message)") }
    #expect(message.contains("What to do"))
  }

  @Test func faultsOfAMatrixAreNamed() throws {
    let folder = try Folder()
    let faults: [(Data, [String])] = [
      (Self.npy("<f8", "(4, 2)", [1, 0, 1, 0, 1, 0, 0.5, -0.5]), ["-0.5 in row 3, column 1"]),
      (Self.npy("<f8", "(4, 2)", [1, 0, 1, 0, 1, .nan, 1, 0]), ["nan in row 2, column 1"]),
      (
        Self.npy("<f8", "(4, 2)", [1, 0, 1, 0, 0.5, 0.4, 1, 0]),
        ["k.npy: data.kernel: found row 2 (from 0) with the sum 0.9"]
      ),
      (Self.npy("<f8", "(2, 4)", Self.rows), ["rows of 4 numbers", "4 rows of 2 numbers"]),
      (Self.npy("<f8", "(3, 2)", Array(Self.rows[..<6])), ["found 3 rows"]),
      (Self.npy("<f8", "(8,)", Self.rows), ["shape [8]"]),
      (Self.npy("<i8", "(4, 2)", Self.rows), ["'<i8'", "little-endian doubles"]),
      (Self.npy("<f8", "(5, 2)", Self.rows), ["truncated"]),
      (Data("hello".utf8), ["no .npy file"]),
    ]
    for (data, says) in faults {
      try folder.write(data, "k.npy")
      let message = folder.message("k.npy")
      for part in says { #expect(message.contains(part), "\(message)") }
    }
    #expect(folder.message("gone.txt").contains("gone.txt: data.kernel: found no such file"))
    #expect(folder.message(".").contains("a folder, a device or a pipe"))
  }

  @Test func kernelAndPriorExcludeEachOther() throws {
    #expect(
      Example.problems(Example.minimal, ["data.kernel=k.txt"]) == ["contradiction data.kernel"])
    #expect(
      Example.problems(Example.tokens, ["data.kernel=k.txt"]) == ["contradiction data.kernel"])
    let experiment = try Example.read(Example.minimal("concentration: 0.1", "  kernel: k.txt"))
    guard case .chains(let chains) = experiment.data.source else {
      Issue.record("no chains")
      return
    }
    #expect(chains.kernels == .file("/folder/k.txt") && chains.kernels.concentration == nil)
    #expect(try Example.read(experiment.resolved) == experiment)
  }
}
