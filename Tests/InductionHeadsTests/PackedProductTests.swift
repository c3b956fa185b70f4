import CKernels
import TestSupport
import Testing

struct PackedProductTests {
  /// Small whole numbers have exact sums, so every tile and what is left over beside it is checked to
  /// the bit.
  @Test(arguments: [1, 2, 5, 6, 7, 13], [1, 3, 4, 5, 9])
  func theProductIsTheSum(rows: Int, vectors: Int) {
    var random = SeededRandom(7)
    func numbers(_ count: Int) -> [Double] {
      (0..<count).map { _ in Double(Int.random(in: -9...9, using: &random)) }
    }
    let (depth, aStride, bStride, cStride) = (11, 12, 13, 8 * vectors + 8)
    let a = numbers(rows * aStride)
    let b = numbers(vectors * bStride * 8)
    let before = numbers(rows * cStride)
    for keeps in [false, true] {
      var c = before
      gf_packed_product(
        rows, vectors, depth, a, aStride, b, bStride, keeps ? 1 : 0, &c, cStride)
      for row in 0..<rows {
        for column in 0..<cStride {
          let place = row * cStride + column
          var expected = column < 8 * vectors && !keeps ? 0 : before[place]
          for k in 0..<(column < 8 * vectors ? depth : 0) {
            expected += a[row * aStride + k] * b[(column / 8 * bStride + k) * 8 + column % 8]
          }
          #expect(c[place] == expected, "row \(row), column \(column), keeps \(keeps)")
        }
      }
    }
  }
}
