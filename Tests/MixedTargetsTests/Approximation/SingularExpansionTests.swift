import Foundation
import MixedTargets
import Testing

@Suite struct SingularExpansionTests {
  @Test func gaussRulesIntegratePolynomials() throws {
    let uniform = try #require(GaussRule(.uniform, count: 6))
    let normal = try #require(GaussRule(.gaussian, count: 6))
    func moment(_ rule: GaussRule, _ power: Int) -> Double {
      zip(rule.nodes, rule.weights).reduce(0.0) { $0 + $1.1 * pow($1.0, Double(power)) }
    }
    for power in stride(from: 0, through: 10, by: 2) {
      #expect(abs(moment(uniform, power) - 1 / Double(power + 1)) < 1e-14)
      let normalMoment = stride(from: 1, to: power, by: 2).reduce(1.0) { $0 * Double($1) }
      #expect(abs(moment(normal, power) / normalMoment - 1) < 1e-12)
      #expect(abs(moment(uniform, power + 1)) < 1e-14)
    }
    // Degree 12 is the first that six nodes miss.
    #expect(abs(moment(uniform, 12) - 1.0 / 13) > 1e-6)
    let long = try #require(GaussRule(.gaussian, count: 200))
    #expect(abs(long.weights.reduce(0, +) - 1) < 1e-12)
    #expect(long.weights.allSatisfy { $0 > 0 })
  }

  /// λ_r = √(2a/A) (b/A)^r with a = 1/4, b = 1/(2w²), c = √(a² + 2ab), A = a + b + c.
  ///
  /// Zhu, Williams, Rohwer, Morciniec, *Gaussian regression and optimal finite dimensional linear
  /// models*, 1998; Rasmussen, Williams, *Gaussian Processes for Machine Learning*, section 4.3.
  @Test(arguments: [0.7, 1, 2])
  func gaussianKernelUnderTheNormalLaw(width: Double) throws {
    let expansion = try #require(
      SingularExpansion(of: .gaussian(width: width), under: .gaussian))
    let (a, b) = (0.25, 1 / (2 * width * width))
    let c = (a * a + 2 * a * b).squareRoot()
    let total = a + b + c
    for r in 0..<15 {
      let exact = (2 * a / total).squareRoot() * pow(b / total, Double(r))
      #expect(abs(expansion.values[r] - exact) < 1e-13, "r = \(r)")
    }
  }

  @Test func polynomialsHaveFiniteRank() throws {
    for measure in SimilarityMeasure.allCases {
      let expansion = try #require(SingularExpansion(of: .polynomial(degree: 4), under: measure))
      #expect(expansion.values.count == 5)
      // Σ λ = ∫ (1 + u²)⁴ dμ, moment by moment.
      let moments: [Double] =
        measure == .uniform ? [1, 1.0 / 3, 0.2, 1.0 / 7, 1.0 / 9] : [1, 1, 3, 15, 105]
      let trace = zip([1.0, 4, 6, 4, 1], moments).reduce(0.0) { $0 + $1.0 * $1.1 }
      #expect(abs(expansion.values.reduce(0, +) / trace - 1) < 1e-13)
      #expect(expansion.squareTail(after: 5) == 0)
      for (u, v) in [(0.3, -0.9), (1, 1), (-1, 1)] {
        let (left, right) = (
          expansion.functions(at: u, rank: 5), expansion.functions(at: v, rank: 5)
        )
        let value = (0..<5).reduce(0) { $0 + expansion.values[$1] * left[$1] * right[$1] }
        #expect(abs(value - pow(1 + u * v, 4)) < 1e-11)
      }
    }
  }

  // MARK: - |u − v|

  @Test func theAbsoluteKernelInClosedForm() throws {
    let expansion = try #require(SingularExpansion(of: .absolute, under: .uniform))
    let values = expansion.values
    #expect(abs(values[1] + 4 / (Double.pi * Double.pi)) < 1e-15)
    #expect(zip(values, values.dropFirst()).allSatisfy { abs($0) > abs($1) })
    // Eigenfunctions by quadrature, split at the kink; orthonormal.
    let rule = try #require(GaussRule(.uniform, count: 60))
    for u in [-1, -0.35, 0.2, 0.8] {
      var images = [Double](repeating: 0, count: 9)
      for (node, weight) in zip(rule.nodes, rule.weights) {
        for (from, to) in [(-1.0, u), (u, 1.0)] {
          let v = (from + to + (to - from) * node) / 2
          for (r, value) in expansion.functions(at: v, rank: 9).enumerated() {
            images[r] += weight * (to - from) / 2 * abs(u - v) * value
          }
        }
      }
      for (r, value) in expansion.functions(at: u, rank: 9).enumerated() {
        #expect(abs(images[r] - values[r] * value) < 1e-13, "r = \(r), u = \(u)")
      }
    }
    for r in 0..<9 {
      for t in 0...r {
        let product = zip(rule.nodes, rule.weights).reduce(0.0) {
          let functions = expansion.functions(at: $1.0, rank: 9)
          return $0 + $1.1 * functions[r] * functions[t]
        }
        #expect(abs(product - (r == t ? 1 : 0)) < 1e-13)
      }
    }
  }

  /// Two sums that are known exactly: ∫∫ |u − v|² dμ dμ = 2/3, and Σ λ φ(1)² = |1 − 1| = 0.
  @Test func sumsOverTheAbsoluteSpectrum() throws {
    let expansion = try #require(SingularExpansion(of: .absolute, under: .uniform))
    let squares = expansion.squareTail(after: 0)
    #expect(abs(squares * squares - 2.0 / 3) < 1e-12)
    let leading = expansion.functions(at: 1, rank: 1)[0]
    let tail = expansion.sumTails(after: [1], over: [])[0]
    // All others have φ(1)² = 2 and ‖φ‖² = 2 or 2(1 + 1/ω²): a little more than the positive one.
    let rest = (1..<4000).filter { $0 % 2 == 0 }.reduce(0) {
      $0 + 2 * expansion.values[$1] * expansion.values[$1]
    }
    #expect(abs(tail - expansion.values[0] * leading * leading - rest) < 2e-5)
    #expect(tail >= expansion.values[0] * leading * leading)
  }

  /// By dense sums over 4000 roots of the equations: Σ tail .0127650, ℓ² tail 4.6242e−4 at R = 64.
  @Test func referenceNumbersAtRankSixtyFour() throws {
    let study = SimilarityStudy(
      kernel: .absolute, measure: .uniform, ranks: [16, 64], length: 50,
      sampling: Sampling(seed: 1, samples: 2, inputs: TokenInput.allCases))
    let rows = try #require(study.rows { false })
    let row = rows[1]
    #expect(abs(row.supremum.bound - 0.0127650) < 2e-5)
    #expect(abs(row.squareTail - 4.62422e-4) < 1e-9)
    // At u = v = ±1 all functions beyond the first reach their maximum but for 1 + 1/ω².
    #expect(row.supremum.ratio > 0.99 && row.supremum.holds)
    for row in rows { #expect(abs(row.squareError / row.squareTail - 1) < 1e-8) }
    #expect(rows.allSatisfy { $0.output.holds && $0.output.error > 0 })
  }

  @Test(
    arguments: [
      (SimilarityKernel.gaussian(width: 0.5), SimilarityMeasure.uniform),
      (.gaussian(width: 0.1), .uniform), (.gaussian(width: 0.65), .gaussian),
      (.polynomial(degree: 4), .gaussian), (.polynomial(degree: 12), .uniform),
    ])
  func tailsAreErrors(kernel: SimilarityKernel, measure: SimilarityMeasure) throws {
    let study = SimilarityStudy(
      kernel: kernel, measure: measure, ranks: [1, 2, 4, 8, 13, 40], length: 60,
      sampling: Sampling(seed: 2, samples: 3, inputs: TokenInput.allCases))
    let rows = try #require(study.rows { false })
    #expect(rows.count == 6)
    for row in rows {
      #expect(row.supremum.holds && row.output.holds, "R = \(row.rank)")
      // Down to rounding the error in L² is the tail.
      let scale = rows[0].squareTail
      #expect(abs(row.squareError - row.squareTail) < 1e-12 * scale + 1e-12)
    }
  }
}
