import FlowAnalysis
import Foundation
import TestSupport
import Testing

@Suite struct StatisticsTests {
  /// The values of every table.
  @Test(arguments: [(1.0, 12.706), (2, 4.303), (5, 2.571), (30, 2.042), (1e7, 1.960)])
  func studentsQuantileIsThatOfTheTables(degrees: Double, quantile: Double) {
    #expect(abs(studentQuantile(degreesOfFreedom: degrees) - quantile) < 6e-4)
  }

  @Test func aLineIsFoundExactly() {
    let x = [1.0, 2, 4, 8]
    let fit = LineFit(x, x.map { 3 - 2 * $0 })
    #expect(abs(fit.slope + 2) < 1e-14 && abs(fit.intercept - 3) < 1e-13)
    #expect(fit.slopeHalfWidth < 1e-12)
  }

  @Test func aSampleHasItsMeanAndStudentsInterval() {
    let sample = Sample([1, 2, 3, 4])
    #expect(sample.mean == 2.5)
    #expect(abs(sample.standardError - (5.0 / 3 / 4).squareRoot()) < 1e-15)
    #expect(abs(sample.halfWidth - 3.18245 * sample.standardError) < 1e-5)
    #expect(Sample([1]).halfWidth == .infinity)
  }

  /// With residuals of autocorrelation .8 the interval that ignores it covers far too rarely.
  @Test func theIntervalRespectsSerialDependence() {
    var random = SeededRandom(5)
    let x = (0..<200).map { Double($0) / 200 }
    var covered = (serial: 0, independent: 0)
    for _ in 0..<400 {
      var noise = 0.0
      let y = x.map { point -> Double in
        noise = 0.8 * noise + random.normal()
        return 1.5 * point + noise
      }
      let serial = LineFit(x, y)
      let independent = LineFit(x, y, isSerial: false)
      if abs(serial.slope - 1.5) <= serial.slopeHalfWidth { covered.serial += 1 }
      if abs(independent.slope - 1.5) <= independent.slopeHalfWidth { covered.independent += 1 }
    }
    // 95 % of 400 is 380, with a standard deviation of 4; n_eff is estimated, which costs a little.
    #expect(covered.serial >= 360, "seed 5: \(covered)")
    #expect(covered.independent <= 280, "seed 5: \(covered)")
  }

  @Test func theWorstReplicateDecides() {
    func finding(_ derived: Double, _ measured: Double) -> Finding {
      Finding(
        .selectionRate, "s", derived: derived, measured: measured, uncertainty: 0.05,
        modelError: 0.06)
    }
    let near = Finding.combined([finding(1, 1.1), finding(2, 1.9), finding(3, 3.05)])
    #expect(near.verdict == .holds)
    #expect(near.detail.contains("worst of 3 replicates"))
    let far = Finding.combined([finding(1, 1), finding(2, 2.2), finding(3, 3)])
    #expect(far.verdict == .rejected && far.measured == 2.2)
    #expect(far.detail.contains("1 rejected"))
    let bound = Finding.combined(
      [5, 0.9, 7].map {
        Finding(
          .order, "s", derived: 1, measured: $0, uncertainty: 0, modelError: 0, relation: .atLeast)
      })
    #expect(bound.verdict == .rejected && bound.measured == 0.9)
    let missing = Finding.combined([
      finding(1, 1), Finding(.selectionRate, "s", notApplicable: "why"),
    ])
    #expect(missing.verdict == .notApplicable("in a replicate: why"))
    let contradicted = Finding.combined([
      finding(1, 1), Finding(.selectionRate, "s", notApplicable: "why"), finding(2, 2.2),
    ])
    #expect(contradicted.verdict == .rejected && contradicted.measured == 2.2)
  }

  @Test func boundsAreOneSided() {
    func verdict(_ measured: Double, _ relation: Finding.Relation) -> Finding.Verdict {
      Finding(
        .limitModel, "", derived: 1, measured: measured, uncertainty: 0, modelError: 0,
        relation: relation
      ).verdict
    }
    #expect(verdict(0.5, .atMost) == .holds && verdict(1.5, .atMost) == .rejected)
    #expect(verdict(1.5, .atLeast) == .holds && verdict(0.5, .atLeast) == .rejected)
    #expect(verdict(.nan, .atMost) == .rejected && verdict(.nan, .equal) == .rejected)
  }
}
