import Foundation

extension RandomStream {
  /// A standard normal variate, by the polar method.
  ///
  /// Variates come in pairs: every second call returns the one kept from the call before.
  ///
  /// Reference: Marsaglia, Bray, *SIAM Review* 6 (1964) 260–264.
  public mutating func normal() -> Double {
    if !spareNormal.isNaN {
      let spare = spareNormal
      spareNormal = .nan
      return spare
    }
    while true {
      let x = 2 * uniform() - 1
      let y = 2 * uniform() - 1
      let square = x * x + y * y
      if square < 1 && square > 0 {
        let scale = (-2 * log(square) / square).squareRoot()
        spareNormal = y * scale
        return x * scale
      }
    }
  }

  /// The logarithm of a Gamma(shape, 1) variate.
  ///
  /// For shape < 1 a Gamma(shape) variate is Gamma(shape + 1) · U^{1/shape}, which underflows
  /// long before its logarithm does: at shape 0.05 a plain sampler returns zeros, this one
  /// does not.
  ///
  /// - Parameter shape: α > 0, meant for 1e−8...1e8.
  /// - Returns: log G, finite.
  ///
  /// Reference: Marsaglia, Tsang, *A simple method for generating gamma variables*, ACM TOMS 26
  /// (2000) 363–372.
  public mutating func logGamma(shape: Double) -> Double {
    logGamma(GammaLaw(shape: shape))
  }

  /// The logarithm of a variate of a gamma law whose constants are at hand.
  private mutating func logGamma(_ law: GammaLaw) -> Double {
    let boost = logBoost(law)
    return log(gammaFactor(law)) + boost
  }

  /// The logarithm of the factor U^{1/shape} that brings a boosted variate back to its shape.
  @inline(__always)
  package mutating func logBoost(_ law: GammaLaw) -> Double {
    law.isBoosted ? log(uniform()) * law.inverseShape : 0
  }

  /// A variate before that factor: of law Gamma(shape + 1, 1) if boosted, else Gamma(shape, 1).
  package mutating func gammaFactor(_ law: GammaLaw) -> Double {
    while true {
      let x = normal()
      let root = 1 + law.c * x
      if root <= 0 { continue }
      let v = root * root * root
      let u = uniform()
      let square = x * x
      // The squeeze accepts most candidates without a logarithm.
      if u < 1 - 0.0331 * square * square
        || log(u) < 0.5 * square + law.d * (1 - v + log(v))
      {
        return law.d * v
      }
    }
  }
}

/// The constants of the Marsaglia–Tsang sampler: variates are d (1 + c x)³ for accepted normals x.
package struct GammaLaw: Sendable {
  /// Whether variates are drawn at shape + 1 and multiplied by U^{1/shape}.
  let isBoosted: Bool
  let inverseShape: Double
  /// The sampled shape less 1/3.
  let d: Double
  /// The slope 1/√(9d).
  let c: Double

  package init(shape: Double) {
    precondition(shape > 0 && shape.isFinite, "The shape of a gamma law is positive and finite.")
    isBoosted = shape < 1
    inverseShape = 1 / shape
    d = (isBoosted ? shape + 1 : shape) - 1.0 / 3
    c = 1 / (9 * d).squareRoot()
  }
}
