import Foundation
import LinearAlgebra
import Testing

@Suite struct EigenvaluesTests {
  @Test(arguments: [(0.5, 0.25), (1e-3, 1e-9), (1, 1), (0, 0.5)])
  func twoStatesHaveOneLess(p: Double, q: Double) throws {
    let values = try #require(eigenvalues(of: [1 - p, p, q, 1 - q], order: 2))
    let real = values.map(\.real).sorted()
    #expect(values.allSatisfy { $0.imaginary == 0 })
    #expect(abs(real[1] - 1) < 4e-16 && abs(real[0] - (1 - p - q)) < 4e-16)
  }

  /// A cycle of n states: the n-th roots of unity.
  @Test(arguments: [1, 2, 3, 7, 50])
  func aCyclicPermutationHasTheRootsOfUnity(n: Int) throws {
    var matrix = [Double](repeating: 0, count: n * n)
    for i in 0..<n { matrix[i * n + (i + 1) % n] = 1 }
    let values = try #require(eigenvalues(of: matrix, order: n))
    for k in 0..<n {
      let angle = 2 * Double.pi * Double(k) / Double(n)
      let nearest = values.map { hypot($0.real - cos(angle), $0.imaginary - sin(angle)) }.min()
      #expect(try #require(nearest) < 1e-14)
    }
    #expect(values.allSatisfy { abs($0.modulus - 1) < 1e-14 })
  }

  /// Rows and columns in either order, and a matrix that is far from symmetric.
  @Test func aTriangleHasItsDiagonal() throws {
    let upper = [1, 1e6, -1e6, 0, 2, 1e6, 0, 0, 3.0]
    let lower = [1, 0, 0, 1e6, 2, 0, -1e6, 1e6, 3.0]
    for matrix in [upper, lower] {
      let values = try #require(eigenvalues(of: matrix, order: 3)).map(\.real).sorted()
      for (value, exact) in zip(values, [1, 2, 3.0]) { #expect(abs(value - exact) < 1e-14) }
    }
  }

  @Test func whatIsNotFiniteHasNone() {
    #expect(eigenvalues(of: [1, .infinity, 0, 1], order: 2) == nil)
  }
}
