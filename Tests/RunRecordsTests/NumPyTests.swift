import Foundation
import Glibc
import RunRecords
import Testing

@Suite struct NumPyTests {
  @Test func headerIsTheOneNumPyWrites() {
    let array = NumPyArray(shape: [2, 3], elements: .uint8([1, 2, 3, 4, 5, 6]))
    let text = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }"
    var expected: [UInt8] = [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0, 0x76, 0]
    expected += Array(text.utf8) + [UInt8](repeating: 0x20, count: 117 - text.utf8.count) + [10]
    #expect(array.header == expected)
    #expect(array.header.count == 128)
  }

  @Test func checksumOfTheStandardText() {
    var checksum = CRC32()
    checksum.update(Array("123456789".utf8).span.bytes)
    #expect(checksum.value == 0xCBF4_3926)
    // In parts of any length the same.
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 37) }
    var whole = CRC32()
    whole.update(bytes.span.bytes)
    var parts = CRC32()
    for start in stride(from: 0, to: 1000, by: 13) {
      parts.update(Array(bytes[start..<min(1000, start + 13)]).span.bytes)
    }
    #expect(whole.value == parts.value)
  }

  private static let arrays: [String: NumPyArray] = [
    "tokens": NumPyArray(shape: [2, 3], elements: .uint8([0, 1, 2, 253, 254, 255])),
    "counts": NumPyArray(shape: [3], elements: .int64([.min, -1, .max])),
    "laws": NumPyArray(shape: [1, 2, 1], elements: .float64([0.1, -0.0])),
    "size": NumPyArray(shape: [], elements: .float64([7])),
    "none": NumPyArray(shape: [0, 4], elements: .int64([])),
  ]

  @Test(.enabled(if: hasNumPy, "needs Python with NumPy"), arguments: [0xFFFF_FFFF, 100, 1])
  func archivesOpenInPython(limit: Int) throws {
    let folder = try ScratchFolder()
    let path = folder.path + "/a.npz"
    try NumPyArchive.write(Self.arrays, to: path, limit: limit)
    let program = """
      import sys, zipfile, numpy as np
      assert zipfile.ZipFile(sys.argv[1]).testzip() is None
      a = np.load(sys.argv[1])
      assert sorted(a) == ["counts", "laws", "none", "size", "tokens"], list(a)
      assert a["tokens"].dtype == np.uint8 and a["tokens"].tolist() == [[0,1,2],[253,254,255]]
      assert a["counts"].dtype == np.int64 and a["counts"].tolist() == [-2**63, -1, 2**63-1]
      assert a["laws"].shape == (1,2,1) and a["laws"].tobytes() == np.array([.1,-0.]).tobytes()
      assert a["size"].shape == () and a["size"] == 7
      assert a["none"].shape == (0,4)
      """
    let result = try output(of: "python3", ["-c", program, path])
    #expect(result.code == 0, "\(result.text)")
  }

  @Test(.enabled(if: hasNumPy, "needs Python with NumPy"))
  func arraysFromPythonAreRead() throws {
    let folder = try ScratchFolder()
    let program = """
      import sys, numpy as np
      for t in ["u1","<u2","<i2","<u4","<i4","<u8","<i8"]:
        for order in "CF":
          np.save(f"{sys.argv[1]}/{t.strip('<')}{order}.npy",
            np.asarray([[0,1,2,3],[4,5,6,120]], dtype=t, order=order))
      np.save(f"{sys.argv[1]}/f8.npy", np.zeros((2,2)))
      np.save(f"{sys.argv[1]}/big.npy", np.zeros((2,2), dtype=">i4"))
      np.save(f"{sys.argv[1]}/flat.npy", np.zeros(3, dtype="i4"))
      np.save(f"{sys.argv[1]}/object.npy", np.array([[None]]), allow_pickle=True)
      """
    let result = try output(of: "python3", ["-c", program, folder.path])
    try #require(result.code == 0, "\(result.text)")
    for type in ["u1", "u2", "i2", "u4", "i4", "u8", "i8"] {
      for order in ["C", "F"] {
        let path = "\(folder.path)/\(type)\(order).npy"
        let matrix = try NumPyMatrix<UInt8>(contentsOf: path)
        #expect(matrix.rows == 2 && matrix.columns == 4)
        #expect(matrix.values == [0, 1, 2, 3, 4, 5, 6, 120], "\(type) \(order)")
      }
    }
    func message(_ name: String) -> String {
      failure { _ = try NumPyMatrix<Int>(contentsOf: "\(folder.path)/\(name).npy") }?.description
        ?? "none"
    }
    #expect(message("f8").contains("f8.npy: numbers of type '<f8' found"))
    #expect(message("big").contains("numbers of type '>i4' found"))
    #expect(message("flat").contains("shape [3] found, with 1 extents"))
    #expect(message("object").contains("numbers of type '|O' found"))
  }

  @Test func matricesSurviveWithoutPython() throws {
    let folder = try ScratchFolder()
    let path = folder.path + "/a.npy"
    let values = (0..<300_000).map { Int64($0) - 7 }
    try NumPyArray(shape: [1000, 300], elements: .int64(values)).write(to: path)
    let matrix = try NumPyMatrix<Int>(contentsOf: path)
    #expect(matrix.values == values.map(Int.init))
    let error = failure { _ = try NumPyMatrix<UInt8>(contentsOf: path) }
    #expect(error?.description.contains("-7 found in row 0, column 0 (from 0)") == true)
    try NumPyArray(shape: [0, 3], elements: .uint8([])).write(to: path)
    #expect(try NumPyMatrix<UInt8>(contentsOf: path).values.isEmpty)
  }

  @Test func damagedFilesAreNamed() throws {
    let folder = try ScratchFolder()
    let path = folder.path + "/a.npy"
    func message(_ bytes: [UInt8]) throws -> String {
      try AtomicFile.write(bytes, to: path)
      return failure { _ = try NumPyMatrix<Int>(contentsOf: path) }?.description ?? "none"
    }
    try NumPyArray(shape: [2, 2], elements: .int64([1, 2, 3, 4])).write(to: path)
    let good = try OpenFile.contents(of: path)
    #expect(try message([]).contains("no .npy file"))
    #expect(try message(Array("hello there".utf8)).contains("no .npy file"))
    for length in [6, 7, 8, 9, 10, 60, 127] {
      #expect(try message(Array(good.prefix(length))) != "none", "\(length) bytes")
    }
    #expect(
      try message(Array(good.dropLast())).contains(
        "shape [2, 2] found, but only 31 bytes of numbers"))
    #expect(try message(good + [0]).contains("shape [2, 2] found, but 33 bytes of numbers"))
    let huge = String(decoding: good.dropFirst(10).prefix(118), as: UTF8.self)
      .replacingOccurrences(of: "(2, 2), }              ", with: "(9999999999, 99999999), }")
    #expect(try message(Array(good.prefix(10)) + Array(huge.utf8)).contains("only"))
  }
}
