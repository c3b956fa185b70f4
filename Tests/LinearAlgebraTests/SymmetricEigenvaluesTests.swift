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

  @Test func whatIsNotFiniteHasNone() {
    #expect(symmetricEigenvalues(of: [1, .nan, .nan, 1], order: 2) == nil)
  }
}
