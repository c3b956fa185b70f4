import Foundation
import GradientFlow
import Testing

@Suite struct LossBalanceTests {
  @Test func quinticPolynomialsAreIntegratedExactly() {
    let times = [0, 0.1, 0.15, 0.4, 0.9, 1.0, 1.7, 2.0]
    let f = { (t: Double) in 1 - t + 3 * t * t - 2 * pow(t, 3) + pow(t, 4) - 0.5 * pow(t, 5) }
    let primitive = { (t: Double) in
      t - t * t / 2 + pow(t, 3) - pow(t, 4) / 2 + pow(t, 5) / 5 - pow(t, 6) / 12
    }
    for end in [0.1, 0.9, 2.0] {
      let value = integral(of: times.map(f), at: times, upTo: end)
      #expect(abs(value - primitive(end)) < 1e-13, "to \(end)")
    }
  }

  @Test func theErrorIsOfSixthOrder() {
    func error(_ count: Int) -> Double {
      let times = (0...count).map { Double($0) * 2 / Double(count) }
      return abs(integral(of: times.map { exp(-3 * $0) }, at: times, upTo: 2) - (1 - exp(-6)) / 3)
    }
    let slope = log(error(20) / error(80)) / log(4)
    #expect(slope > 5.5, "slope \(slope)")
  }

  @Test func fewPointsAreEnough() {
    #expect(integral(of: [2], at: [0], upTo: 0) == 0)
    #expect(abs(integral(of: [1, 3], at: [0, 1], upTo: 1) - 2) < 1e-15)
  }

  @Test func zerosAreLocated() {
    let t = locateZero(of: { cos($0) }, between: 0, and: 3, tolerance: 1e-14)
    #expect(abs(t - Double.pi / 2) < 1e-13)
    // A kink that secants alone approach slowly.
    let kink = locateZero(
      of: { $0 < 0.9 ? 1e6 * (0.9 - $0) : -1e-3 * ($0 - 0.9) }, between: 0, and: 1,
      tolerance: 1e-13)
    #expect(abs(kink - 0.9) <= 1e-13)
  }
}
