import Foundation
import RunRecords
import TestSupport
import Testing

@Suite struct TableTests {
  private func text(_ table: Table) -> String { String(decoding: table.csv(), as: UTF8.self) }

  @Test func numbersAndTextsAreSpelledAsPandasReadsThem() {
    var table = Table(columns: ["stage", "t", "n"])
    table.append([.text("memory"), .real(1e-5), .integer(-3)])
    table.append([.text("a,b"), .real(.infinity), .empty])
    table.append([.text("say \"x\"\n"), .real(-.infinity), .integer(0)])
    table.append([.text("1.5"), .real(-.nan), .integer(0)])
    table.append([.text(""), .real(-0.0), .integer(.max)])
    #expect(
      text(table) == """
        stage,t,n
        memory,1e-05,-3
        "a,b",inf,
        "say ""x""
        ",-inf,0
        "1.5",nan,0
        "",-0.0,9223372036854775807

        """)
  }

  /// Every bit pattern class: subnormal, huge, −0, integers, random bits.
  @Test func doublesReadBackToTheSameBits() throws {
    let seed: UInt64 = 20
    var generator = SeededRandom(seed)
    var values: [Double] = [
      0, -0.0, .leastNonzeroMagnitude, -.leastNonzeroMagnitude, .leastNormalMagnitude,
      .leastNormalMagnitude.nextDown, .greatestFiniteMagnitude, -.greatestFiniteMagnitude,
      .infinity, -.infinity, 1, 1e15, 1e16, 1e17, 0.1, 1 / 3, 9_007_199_254_740_992,
    ]
    while values.count < 60_000 {
      let value = Double(bitPattern: generator.next())
      if value.isFinite { values.append(value) }
    }
    while values.count < 80_000 {  // subnormals
      values.append(Double(bitPattern: generator.next() & 0x800F_FFFF_FFFF_FFFF))
    }
    while values.count < 100_000 { values.append(Double.random(in: -10...10, using: &generator)) }
    var table = Table(columns: (0..<10).map { "x.\($0)" })
    for row in 0..<10_000 { table.append([], reals: Array(values[row * 10..<(row + 1) * 10])) }
    let read = try Table(csv: table.csv(), path: "x.csv")
    #expect(read.rowCount == 10_000)
    for index in values.indices {
      guard case .real(let value) = read[index / 10, index % 10] else {
        Issue.record("\(values[index]) came back as \(read[index / 10, index % 10]), seed \(seed)")
        continue
      }
      #expect(value.bitPattern == values[index].bitPattern, "seed \(seed)")
    }
  }

  @Test func cellsKeepTheirTypes() throws {
    var table = Table(columns: ["a,b", "ü \"x\"", "", "last"])
    table.append([.text("nan"), .text("12"), .text(" x "), .real(12)])
    table.append([.text("0x1p3"), .text("infinity"), .text("a\r\nb"), .integer(12)])
    table.append([.text("-"), .text("1e5"), .text("\r"), .empty])
    table.append([.text("-inf"), .text(""), .text("\u{FEFF}x"), .text("e")])
    let read = try Table(csv: table.csv(), path: "x.csv")
    #expect(read == table)
    #expect(read.kind(of: "a,b") == .text)
    #expect(read.kind(of: "none") == nil)
  }

  @Test func columnsAreTyped() throws {
    let csv = "stage,t,n,void\nmemory,1.5,1,\nmemory,2,2,\n"
    let table = try Table(csv: Array(csv.utf8), path: "x.csv")
    #expect(table.kind(of: "t") == .real)
    #expect(table.kind(of: "n") == .integer)
    #expect(table.kind(of: "void") == .empty)
    #expect(table.reals("t") == [1.5, 2])
    #expect(table.integers("n") == [1, 2])
    #expect(table.integers("t") == nil)
    #expect(table.texts("stage") == ["memory", "memory"])
    #expect(table.reals("stage") == nil)
    #expect(table.reals("void")?.allSatisfy(\.isNaN) == true)
    #expect(Array(table.row(1)) == [.text("memory"), .integer(2), .integer(2), .empty])
  }

  @Test func windowsLineEndsAndAMissingLastOneAreRead() throws {
    let table = try Table(csv: Array("\u{FEFF}a,b\r\n1,2\r\n3,4".utf8), path: "x.csv")
    #expect(table.integers("b") == [2, 4])
  }

  @Test(arguments: [
    ("", "line 1: no header line"),
    ("a,a\n", "line 2: a column name occurs twice"),
    ("a,b\n1,2\n3\n", "line 3: 1 cells found under 2 columns"),
    ("a\n\"x\n", "line 2: a quoted cell does not end"),
    ("a\n\"x\"y\n", "line 2: text after the end of a quoted cell"),
    ("a\nx\"y\n", "line 2: a quotation mark inside a cell"),
  ])
  func damagedFilesAreNamed(csv: String, message: String) {
    let error = failure { _ = try Table(csv: Array(csv.utf8), path: "run/x.csv") }
    #expect(error?.description.hasPrefix("run/x.csv: \(message)") == true, "\(error as Any)")
  }

  @Test func fileHoldsTheSameBytesAsTheText() throws {
    let folder = try ScratchFolder()
    var table = Table(columns: ["a", "b"])
    for row in 0..<30_000 { table.append([.integer(row), .real(Double(row) / 7)]) }
    try table.write(to: folder.path + "/x.csv")
    #expect(try OpenFile.contents(of: folder.path + "/x.csv") == table.csv())
    #expect(try Table(contentsOf: folder.path + "/x.csv") == table)
  }

  /// A million cells take as long in wide tables as in long ones, of which both are the fastest of some.
  @Test func widthCostsNothing() {
    var generator = SeededRandom(1)
    let cells = (0..<1_000_000).map { _ in Double.random(in: -1...1, using: &generator) }
    func fastest(columns: Int) -> Duration {
      var table = Table(columns: (0..<columns).map { "w.\($0)" })
      for start in stride(from: 0, to: cells.count, by: columns) {
        table.append([], reals: Array(cells[start..<start + columns]))
      }
      return (0..<5).map { _ in
        var count = 0
        let time = ContinuousClock().measure { count = table.csv().count }
        #expect(count > 10 * cells.count)
        return time
      }.min() ?? .zero
    }
    let (wide, long) = (fastest(columns: 10_000), fastest(columns: 10))
    print("1e6 cells: \(wide) in 10 000 columns, \(long) in 10")
    #expect(wide < long * 20)
  }
}
