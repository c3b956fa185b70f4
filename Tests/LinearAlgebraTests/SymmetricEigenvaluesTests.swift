import Foundation
import LinearAlgebra
import Testing

@Suite struct SymmetricEigenvaluesTests {
  @Test func knownSpectra() throws {
    #expect(symmetricEigenvalues(of: [3], order: 1) == [3])
    let two = try #require(symmetricEigenvalues(of: [2, 1, 1, 2], order: 2))
    #expect(abs(two[0] - 1) < 1e-15 && abs(two[1] - 3) < 1e-15)
    // The second difference matrix: 2 − 2 cos(kπ/(n+1)).
    let n = 12
    var matrix = [Double](repeating: 0, count: n * n)
    for i in 0..<n {
      matrix[i * n + i] = 2
      if i > 0 {
        matrix[i * n + i - 1] = -1
        matrix[(i - 1) * n + i] = -1
      }
    }
    let values = try #require(symmetricEigenvalues(of: matrix, order: n))
    #expect(abs(values.reduce(0, +) - 24) < 1e-13)
    #expect(abs(values[n - 1] - (2 + 2 * cos(Double.pi / 13))) < 1e-14)
  }

  /// Row r of the vectors belongs to value r: A v = λ v, and rows are orthonormal.
  @Test func eigenvectorsStandInRows() throws {
    let n = 6
    var matrix = [Double](repeating: 0, count: n * n)
    for i in 0..<n {
      for j in 0..<n { matrix[i * n + j] = 1 / Double(i + j + 1) + (i == j ? Double(i) : 0) }
    }
    let (values, vectors) = try #require(symmetricEigenvectors(of: matrix, order: n))
    let alone = try #require(symmetricEigenvalues(of: matrix, order: n))
    #expect(zip(values, alone).allSatisfy { abs($0 - $1) < 1e-14 })
    for r in 0..<n {
      for i in 0..<n {
        let image = (0..<n).reduce(0) { $0 + matrix[i * n + $1] * vectors[r * n + $1] }
        #expect(abs(image - values[r] * vectors[r * n + i]) < 1e-13)
        let product = (0..<n).reduce(0) { $0 + vectors[r * n + $1] * vectors[i * n + $1] }
        #expect(abs(product - (r == i ? 1 : 0)) < 1e-14)
      }
    }
  }

  @Test func whatIsNotFiniteHasNone() {
    #expect(symmetricEigenvalues(of: [1, .nan, .nan, 1], order: 2) == nil)
    #expect(symmetricEigenvectors(of: [1, .nan, .nan, 1], order: 2) == nil)
  }
}
