import CKernels
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// The vector loops' exponential and logarithm against the C library's in 80 bits.
struct VectorFunctionTests {
  /// Errors are in units of the last place of a double at the true value.
  ///
  /// 80 bits hold 11 more than a double, so the library's own error is below .001 of those units.
  private func largestError(
    of function: (UnsafePointer<Double>, UnsafeMutablePointer<Double>, Int) -> Void,
    truth: (Float80) -> Float80, at points: [Double]
  ) -> (error: Double, x: Double) {
    var values = [Double](repeating: 0, count: points.count)
    function(points, &values, points.count)
    var worst = (error: 0.0, x: 0.0)
    for (x, value) in zip(points, values) {
      let exact = truth(Float80(x))
      let unit = max(Double(exact).ulp, Double.leastNonzeroMagnitude)
      let error = Double(abs(Float80(value) - exact) / Float80(unit))
      if !(error <= worst.error) { worst = (error, x) }
    }
    return worst
  }

  private func uniform(_ range: ClosedRange<Double>, seed: UInt64) -> [Double] {
    var state = seed
    return (0..<400_000).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let u = Double(state >> 11) * 0x1p-53
      return range.lowerBound + u * (range.upperBound - range.lowerBound)
    }
  }

  @Test(arguments: [-745.1...709.7, -745.1 ... -700, -30...0, -1e-3...1e-3, 690...709.7])
  func theExponentialIsWithinTwoUnits(range: ClosedRange<Double>) {
    let worst = largestError(of: gf_exp, truth: expl, at: uniform(range, seed: 1))
    #expect(worst.error <= 1.1, "at \(worst.x)")
  }

  @Test(arguments: [1e-308...1.7e308, 1e-6...1, 0.5...2, 0.999...1.001, 1...1000])
  func theLogarithmIsWithinOneUnit(range: ClosedRange<Double>) {
    // Half of the points are uniform, half logarithmically so.
    let points =
      uniform(range, seed: 2)
      + uniform(log(range.lowerBound)...log(range.upperBound), seed: 3).map { exp($0) }
    let worst = largestError(of: gf_log, truth: logl, at: points)
    #expect(worst.error <= 1, "at \(worst.x)")
  }

  @Test func theEndsOfTheRange() {
    let inputs = [-Double.infinity, -746, -745.2, 0, 709.8, .infinity, .nan, -0.0]
    var values = [Double](repeating: -1, count: 8)
    gf_exp(inputs, &values, 8)
    #expect(values[0] == 0 && values[1] == 0 && values[3] == 1 && values[7] == 1)
    #expect(values[4] == .infinity && values[5] == .infinity && values[6].isNaN)
    let tiny = Double.leastNonzeroMagnitude
    let arguments = [0, -1, .infinity, .nan, tiny, 1, 0x1p-1022, 1000 * tiny]
    gf_log(arguments, &values, 8)
    #expect(values[0] == -.infinity && values[1].isNaN && values[2] == .infinity)
    #expect(values[3].isNaN && values[5] == 0)
    for i in [4, 6, 7] { #expect(values[i] == log(arguments[i])) }
  }
}
